# For a service that reads its own secrets (admin token, index roots, peppers) from the entry `ingest` of
# the KV engine, version 2, mounted at `secret`. It reads that entry, and can neither change it nor list
# what else there is. Operators write it under a policy of their own.
#
#   vault policy write secrets-reader deploy/vault/secrets-reader.hcl

path "secret/data/ingest" {
  capabilities = ["read"]
}
