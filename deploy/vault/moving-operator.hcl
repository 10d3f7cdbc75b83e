# For who moves data keys to the transit key `ingest` from another provider, or from it to another one
# (`ingest-server keys rewrap`, and a service whose operators do that through it), until all have moved. It sees every
# data key that it moves: it opens them with the one and wraps them with the other.
#
#   vault policy write moving-operator deploy/vault/moving-operator.hcl

path "transit/encrypt/ingest" {
  capabilities = ["update"]
}

path "transit/decrypt/ingest" {
  capabilities = ["update"]
}

path "transit/keys/ingest" {
  capabilities = ["read"]
}
