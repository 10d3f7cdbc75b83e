# For the operator who retires a version of the transit key `ingest`: rotates it, has every data key wrapped again,
# and then no longer lets the old version unwrap. Nothing of it shows a data key, or anything sealed.
#
#   vault policy write rotation-operator deploy/vault/rotation-operator.hcl

path "transit/keys/ingest" {
  capabilities = ["read"]
}

path "transit/keys/ingest/rotate" {
  capabilities = ["update"]
}

path "transit/rewrap/ingest" {
  capabilities = ["update"]
}

# Which versions encrypt and decrypt, and nothing else: neither that the key may be exported, which cannot
# be taken back, nor that it may be deleted.
path "transit/keys/ingest/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
