-- NOCASE folds A-Z alone, which is all that a tenant's name can have: it is visible ASCII. SQLite keeps the
-- folded names in the index, so that rows stay as they are.
CREATE INDEX apikey_cache_api_key_of_tenant_alike ON apikey_cache_api_key (tenant COLLATE NOCASE);
