-- Where the write-ahead log is a file (docs/decisions/0007): changes of a function up to this number
-- are in the tables.
ALTER TABLE function_owner ADD COLUMN settled BIGINT DEFAULT 0 NOT NULL;
