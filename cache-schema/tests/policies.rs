//! What the settings say of a model, and what it says itself.

use std::time::Duration;

use cache_schema::{Capacity, OnWrite, Schema};

fn schema(text: &str) -> Schema {
    match Schema::parse("cache.toml", text) {
        Ok(schema) => schema,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

#[test]
fn settings_and_policies() {
    let text = "[cache]\nprefix = \"app:\"\nttl = \"2m\"\njitter = \"0%\"\ncodec = \"msgpack\"\n\
                [model.plio]\nkey = \"plio_{id}\"\nttl = \"1h30m\"\nlookup = [\"uuid\"]\n\
                [model.organization-user]\n";
    let schema = schema(text);
    let policy = schema.model("plio").and_then(|plio| plio.cached.as_ref()).expect("it has a key");
    assert_eq!(policy.ttl.as_secs(), 5400);
    assert_eq!(policy.jitter, 0, "from [cache]");
    assert_eq!(policy.negative_ttl.as_secs(), 30, "the default");
    assert_eq!(policy.codec.to_string(), "msgpack");
    assert_eq!(policy.key.to_string(), "plio_{id}");
    assert_eq!(policy.lookups[0].key.to_string(), "plio_by_uuid_{uuid}");
    let member = schema.model("organization-user").expect("a model");
    assert_eq!(
        (member.table.as_str(), member.id.as_slice()),
        ("organization_user", &["id".to_owned()][..])
    );
}

#[test]
fn how_values_are_served() {
    let text = "[cache]\nverify = 0.5\ngrace = \"1m\"\nload-timeout = \"10s\"\nlease = \"1s\"\n\
                near = { max-staleness = \"500ms\" }\n\
                [model.plio]\nkey = \"plio_{id}\"\ngrace = \"0s\"\nload-timeout = \"2s\"\nlease = \"0s\"\n\
                near = { entries = 10_000 }\non-write = \"refresh\"\nverify = 0\n\
                [model.user]\nkey = \"user_{id}\"\n[model.user.near]\nbytes = \"16MB\"\n\
                [model.account]\nkey = \"account_{id}\"\nconsistency = \"strict\"\n\
                references = { image_id = \"image\" }\ndepends-on = [\"image\"]\n\
                [model.image]\nkey = \"image_{id}\"";
    let schema = schema(text);
    assert_eq!(schema.settings.max_staleness, Duration::from_millis(500));
    let policy = |model: &str| {
        let model = schema.model(model).expect("a model");
        model.cached.clone().expect("it has a key")
    };
    let times = |model: &str| {
        let policy = policy(model);
        [policy.grace, policy.load_timeout, policy.lease].map(|time| time.as_secs())
    };
    assert_eq!(times("plio"), [0, 2, 0]);
    assert_eq!(times("user"), [60, 10, 1], "from [cache]");
    assert_eq!(times("account"), [60, 10, 0], "it is strict");
    assert_eq!(times("image"), [60, 10, 0], "it becomes strict");

    assert_eq!((policy("plio").verify, policy("user").verify), (0, 1 << 31));

    assert_eq!(policy("plio").near, Some(Capacity::Entries(10_000)));
    assert_eq!(policy("user").near, Some(Capacity::Bytes(16_000_000)));
    assert_eq!(policy("account").near, None);
    assert_eq!(policy("plio").on_write, OnWrite::Refresh);
    assert_eq!(policy("user").on_write, OnWrite::Delete, "the default");
}
