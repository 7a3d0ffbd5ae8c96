//! The examples of backends of one's own, as modules.

#[allow(dead_code, missing_docs, reason = "an example is a program")]
#[path = "../../../std-backends/examples/postgres_backend.rs"]
pub mod postgres_backend;
#[allow(dead_code, missing_docs, reason = "an example is a program")]
#[path = "../../../std-backends/examples/redis_backend.rs"]
pub mod redis_backend;
