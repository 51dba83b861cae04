//! A proxy in front of who sends back what it is sent.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Proxy;

/// In which nothing comes, if nothing comes.
const A_WHILE: Duration = Duration::from_millis(100);

async fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = client.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    port
}

/// A connection, over which something went already.
async fn connect(proxy: &Proxy) -> TcpStream {
    let connected = TcpStream::connect(("127.0.0.1", proxy.port)).await;
    let mut connection = connected.expect("a connection");
    send(&mut connection, 0).await;
    assert_eq!(answer(&mut connection).await, Some(0));
    connection
}

async fn send(connection: &mut TcpStream, byte: u8) {
    connection.write_all(&[byte]).await.expect("it is sent");
}

async fn answer(connection: &mut TcpStream) -> Option<u8> {
    timeout(A_WHILE, connection.read_u8()).await.ok()?.ok()
}

#[tokio::test]
async fn connections_that_there_are_stand_still_and_new_ones_do_not() {
    let proxy = Proxy::to(echo().await).await;
    for freeze in
        [Proxy::freeze_existing, Proxy::freeze_existing_questions, Proxy::freeze_existing_answers]
    {
        let mut old = connect(&proxy).await;
        freeze(&proxy);
        send(&mut old, 1).await;
        assert_eq!(answer(&mut old).await, None);
        let mut new = connect(&proxy).await;
        send(&mut new, 2).await;
        assert_eq!(answer(&mut new).await, Some(2));
        assert_eq!(answer(&mut old).await, None);

        proxy.resume();
        assert_eq!(answer(&mut old).await, Some(1));
        send(&mut new, 3).await;
        assert_eq!(answer(&mut new).await, Some(3));
    }
}
