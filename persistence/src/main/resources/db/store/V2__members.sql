-- Who is in the cluster of a store on PostgreSQL (docs/decisions/0012): of the processes that hold it,
-- where others join them. Rows of processes that hold it no more are deleted by the next that enters.
CREATE TABLE store_member (
  name    VARCHAR(64) PRIMARY KEY,
  address VARCHAR NOT NULL
);

-- Which cluster: another name from the next first process on.
CREATE TABLE store_cluster (
  id      INT PRIMARY KEY,
  cluster VARCHAR(64) NOT NULL
);
