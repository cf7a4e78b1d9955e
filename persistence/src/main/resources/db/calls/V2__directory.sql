-- Names and lists (DESIGN D8). Times are microseconds since 1970.
CREATE TABLE directory_entry (
  kind        VARCHAR(20) NOT NULL,
  id          VARCHAR(200) NOT NULL,
  environment VARCHAR(200) NOT NULL,
  -- null where the thing has no name, so that the unique index passes it over
  name        VARCHAR(400),
  created_at  BIGINT NOT NULL,
  -- a JSON object of strings
  attributes  VARCHAR NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX directory_entry_name ON directory_entry (kind, environment, name);
CREATE INDEX directory_entry_age ON directory_entry (kind, environment, created_at DESC, id);
