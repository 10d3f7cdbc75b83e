//! `RedisStore` on real servers: Redis, Valkey, a cluster, TLS, and networks that fail.

mod conforms;
mod servers;
