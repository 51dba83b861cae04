//! A process of the service, as the conductor holds it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command as Program, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use chaos_service::ORDERS;
use chaos_service::record::{Command, Orders, ProcessId};
use servers::signal;

use crate::history::History;

#[derive(Debug)]
pub struct Process {
    pub id: ProcessId,
    child: Child,
    input: Option<ChildStdin>,
    listening: Option<JoinHandle<()>>,
    history: Arc<History>,
}

impl Process {
    /// Starts one; what it says goes into the history.
    pub fn start(orders: &Orders, history: &Arc<History>) -> Process {
        let mut child = Program::new(std::env::current_exe().expect("this binary"))
            .env(ORDERS, serde_json::to_string(orders).expect("they have a text"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let id = orders.process;
        history.begins(id, orders.line);
        let output = child.stdout.take().expect("it is piped");
        let told = history.clone();
        let listening = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // The last line of one that was killed may be half a line.
                if let Ok(record) = serde_json::from_str(&line) {
                    told.take(id, record);
                }
            }
        });
        Process {
            id,
            input: child.stdin.take(),
            child,
            listening: Some(listening),
            history: history.clone(),
        }
    }

    /// Tells it something. One that is dead does not hear it.
    pub fn tell(&mut self, command: Command) {
        if let Some(input) = &mut self.input {
            let text = serde_json::to_string(&command).expect("it has a text");
            let _ = writeln!(input, "{text}").and_then(|()| input.flush());
        }
    }

    /// `kill -STOP`
    pub fn stop(&self) {
        signal(self.child.id(), "STOP");
    }

    /// `kill -CONT`
    pub fn go_on(&self) {
        signal(self.child.id(), "CONT");
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.reap();
    }

    /// Lets it end: it tells the rest.
    pub fn end(&mut self) {
        self.input = None;
        self.reap();
    }

    fn reap(&mut self) {
        let _ = self.child.wait();
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
            self.history.ended(self.id);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
