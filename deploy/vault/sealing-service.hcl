# For a service that seals: it makes data keys and unwraps them with the transit key `ingest`.
# It can neither rotate the key, nor see it, nor wrap a data key of its own choice, nor change the policy
# of the key. The names of the mount and the key are those of the service's configuration.
#
#   vault policy write sealing-service deploy/vault/sealing-service.hcl

path "transit/datakey/plaintext/ingest" {
  capabilities = ["update"]
}

path "transit/decrypt/ingest" {
  capabilities = ["update"]
}

# Whether the key is derived and stays in Vault, which is looked at before it is used; and how old it is.
path "transit/keys/ingest" {
  capabilities = ["read"]
}

# How long its own token lasts, and that it lasts longer.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
