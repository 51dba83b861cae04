//! Requests drawn from a seed. `FUZZ_REQUESTS=100000` draws more of them, `FUZZ_SEED=7` others.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

use super::document::Document;
use super::draw::{Draw, Drawn};
use crate::harness::{Answer, NOUNS, World};

fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).unwrap_or_default();
    value.parse().unwrap_or(default)
}

pub async fn whatever_is_asked_the_document_says_what_is_answered(world: World) {
    let document = Document::of(&world).await;
    let seed = number("FUZZ_SEED", 1);
    let mut draw = draw(&document, seed);
    let mut answered = BTreeMap::<u16, usize>::new();
    for step in 0..number("FUZZ_REQUESTS", 600) {
        if step % 100 == 0 {
            know_a_plio(&world, &mut draw).await;
        }
        let drawn = draw.request();
        let answer = send(&world, &drawn).await;
        if let Some(wrong) = wrong(&document, &drawn, &answer) {
            let body = drawn.body.as_deref().map(String::from_utf8_lossy);
            let body: String = body.unwrap_or_default().chars().take(500).collect();
            panic!(
                "FUZZ_SEED={seed}, request {step}: {wrong}\n{} {} {:?} {body}\n{} {}",
                drawn.method, drawn.path, drawn.headers, answer.status, answer.text
            );
        }
        *answered.entry(answer.status).or_default() += 1;
        learn(&mut draw, &drawn, &answer);
        if answer.status == 200 && drawn.method == "PATCH" {
            is_shown(&world, &drawn, &answer).await;
        }
        if step % 20 == 0 {
            let plio = draw.rows["plios"].last().copied().unwrap_or_default();
            world.right(&format!("/plios/{plio}")).await;
        }
    }
    println!("FUZZ_SEED={seed}: answers by status {answered:?}");
    for noun in NOUNS {
        world.right(&format!("/{noun}?limit=1000")).await.is(200);
    }
    world.send(world.request_anywhere("GET", "/healthz")).await.is(200);
}

fn draw(document: &Document, seed: u64) -> Draw<'_> {
    Draw {
        random: Rng::with_seed(seed),
        document,
        operations: document.operations(),
        rows: HashMap::new(),
        uuids: vec![],
        tokens: vec![],
        etags: HashMap::new(),
    }
}

async fn know_a_plio(world: &World, draw: &mut Draw<'_>) {
    let plio = world.plio_with_items(2).await;
    for noun in NOUNS {
        draw.rows.entry(noun.to_owned()).or_default().push(plio.row(noun));
    }
    draw.uuids.push(plio.uuid);
}

fn learn(draw: &mut Draw<'_>, drawn: &Drawn<'_>, answer: &Answer) {
    if answer.status == 201
        && let Some(rows) = draw.rows.get_mut(drawn.operation.noun())
    {
        rows.push(answer.id());
    }
    let token = answer.header("consistency-token");
    if !token.is_empty() {
        draw.tokens.push(token.to_owned());
    }
    let etag = answer.header("etag");
    if !etag.is_empty() {
        draw.etags.insert(drawn.path.clone(), etag.to_owned());
    }
}

async fn send(world: &World, drawn: &Drawn<'_>) -> Answer {
    let mut request = world.request_anywhere(&drawn.method, &drawn.path);
    for (name, value) in &drawn.headers {
        request = request.header(*name, value.as_slice());
    }
    if let Some(body) = &drawn.body {
        request = request.body(body.clone());
    }
    world.send(request).await
}

/// What the document does not allow.
fn wrong(document: &Document, drawn: &Drawn<'_>, answer: &Answer) -> Option<String> {
    let status = answer.status;
    if status >= 500 && status != 503 {
        return Some("a server error".to_owned());
    }
    let method = match drawn.method.as_str() {
        "HEAD" => "get".to_owned(),
        // Methods are not the same in other letters.
        other if other == other.to_uppercase() => other.to_lowercase(),
        _ => "none".to_owned(),
    };
    let operation = &document.0["paths"][drawn.operation.path][&method];
    let said = match operation {
        Value::Null if status != 405 => return Some("there is no such method".to_owned()),
        Value::Null => &document.0["components"]["responses"]["MethodNotAllowed"],
        operation => document.resolve(&operation["responses"][status.to_string()]),
    };
    if said.is_null() {
        return Some(format!("{status} is not in the document"));
    }
    for (name, _) in said["headers"].as_object().into_iter().flatten() {
        if answer.headers.get(name).is_none() {
            return Some(format!("there is no {name}"));
        }
    }
    if drawn.method != "HEAD"
        && let Some(why) = body_differs(document, said, answer)
    {
        return Some(why);
    }
    let done = (200..300).contains(&status);
    let is_own = drawn.method.eq_ignore_ascii_case(drawn.operation.method);
    let refused = match drawn.twist {
        Some("if-match") => ["PATCH", "DELETE"].contains(&drawn.method.as_str()),
        Some("content type") => true,
        _ => is_own && has_wrong_body(document, drawn),
    };
    if done && refused {
        return Some("it must not be done".to_owned());
    }
    let refers = answer.at("/detail").as_str().is_some_and(|it| it.contains("refers to"));
    let allowed =
        [200, 201, 204, 304, 404, 409, 412, 503].contains(&status) || status == 422 && refers;
    (drawn.twist.is_none() && !allowed).then(|| "nothing is wrong with it".to_owned())
}

fn body_differs(document: &Document, said: &Value, answer: &Answer) -> Option<String> {
    let Some((kind, content)) = said["content"].as_object().and_then(|it| it.iter().next()) else {
        return (!answer.text.is_empty()).then(|| "there is to be no body".to_owned());
    };
    let sent = answer.content_type.as_deref().unwrap_or_default();
    if !sent.starts_with(kind) {
        return Some(format!("it is {sent:?} and not {kind}"));
    }
    match kind.contains("json") {
        true => document.differs(&answer.body, &content["schema"]),
        false => None,
    }
}

fn has_wrong_body(document: &Document, drawn: &Drawn<'_>) -> bool {
    let Some((schema, body)) = drawn.operation.body().zip(drawn.body.as_deref()) else {
        return false;
    };
    let json = serde_json::from_slice::<Value>(body);
    json.map_or(true, |json| document.differs(&json, schema).is_some())
}

/// What was written is read, from the cache and from the database.
async fn is_shown(world: &World, drawn: &Drawn<'_>, answer: &Answer) {
    let path = drawn.path.split('?').next().unwrap_or_default();
    let shown = world.right(path.trim_start_matches("/api/v1")).await.is(200);
    assert_eq!(shown.body, answer.body, "wrong answer: {path} is not as it was answered");
    let sent: Value =
        serde_json::from_slice(drawn.body.as_deref().unwrap_or_default()).unwrap_or_default();
    for (field, sent) in sent.as_object().into_iter().flatten() {
        let shown = &shown.body[field];
        let is_plain = |value: &Value| value.is_string() || value.is_boolean();
        if is_plain(sent) && is_plain(shown) {
            assert_eq!(shown, sent, "wrong answer: {field} of {path}");
        }
    }
}

/// What is not even HTTP.
pub async fn mangled_requests_harm_nobody(world: World) {
    let plio = world.plio_with_items(1).await;
    let url = world.request_anywhere("GET", "/").build().expect("a request");
    let address = url.url().authority().to_owned();
    let path = format!("/api/v1{}", plio.path());
    let seed = number("FUZZ_SEED", 1);
    let requests = number("FUZZ_REQUESTS", 600);
    let mangle = move || {
        let mut random = Rng::with_seed(seed);
        for step in 0..requests {
            let request = mangled(&mut random, &path);
            let said = exchange(&address, &request);
            let status = said.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0);
            let right = said.is_empty() || (200..500).contains(&status) || status == 503;
            let shown = String::from_utf8_lossy(&request).into_owned();
            assert!(right, "FUZZ_SEED={seed}, request {step}: {shown:?} is answered {said}");
        }
    };
    tokio::task::spawn_blocking(mangle).await.expect("no harm");
    world.right(&plio.path()).await.is(200);
}

fn mangled(random: &mut Rng, path: &str) -> Vec<u8> {
    let body = r#"{"name": "x"}"#;
    let mut request = format!(
        "PATCH {path} HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes();
    for _ in 0..random.u8(1..4) {
        let place = random.usize(..request.len());
        let inserted: &[u8] = match random.u8(..8) {
            0 => b"\r\n",
            1 => b"\0",
            2 => b" ",
            3 => b"\r\nTransfer-Encoding: chunked",
            4 => b"\r\nContent-Length: 99999999999999999999",
            5 => &[b'a'; 100_000],
            6 => {
                request[place] = random.u8(..);
                b""
            }
            _ => {
                request.truncate(place.max(1));
                b""
            }
        };
        let place = place.min(request.len());
        request.splice(place..place, inserted.iter().copied());
    }
    request
}

/// Sends it, and no more; all that is answered.
fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    // Who is refused may find that nobody listens any more.
    let _ = stream.write_all(request).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{request:?} is not answered");
    }
    String::from_utf8_lossy(&said).into_owned()
}
