//! The store in this process keeps the protocol.

use cache_runtime::MemoryStore;
use cache_runtime::store::conformance;

#[tokio::test]
async fn the_memory_store_conforms() {
    conformance::run(async |schema| MemoryStore::new(schema)).await;
}
