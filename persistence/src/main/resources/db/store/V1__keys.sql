-- Which keys belong to a store on PostgreSQL: a hash, by which a data directory with others is refused.
CREATE TABLE store_keys (
  id   INT PRIMARY KEY,
  keys VARCHAR(64) NOT NULL
);
