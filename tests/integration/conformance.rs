//! The store in Redis keeps the protocol: the suite that every store passes, on a real server.

use cache_runtime::RedisStore;
use cache_runtime::store::conformance;
use libtest_mimic::Trial;

use crate::harness::servers;

pub fn trial() -> Trial {
    Trial::test("redis::the_store_conforms", || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(conformance::run(async |schema| {
            let server = servers::redis();
            RedisStore::new(&server.url(server.database()), schema).expect("a URL of Redis")
        }));
        Ok(())
    })
}
