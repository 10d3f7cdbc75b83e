-- SQLite renames the table's entry in sqlite_sequence with it: numbers go on where they were.
ALTER TABLE api_key RENAME TO apikey_cache_api_key;
DROP INDEX api_key_of_tenant;
CREATE INDEX apikey_cache_api_key_of_tenant ON apikey_cache_api_key (tenant, kid);

ALTER TABLE outbox RENAME TO apikey_cache_outbox;
DROP INDEX outbox_by_age;
CREATE INDEX apikey_cache_outbox_by_age ON apikey_cache_outbox (at);
