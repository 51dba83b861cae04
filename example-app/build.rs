//! `sqlx::migrate!` embeds the folder but does not notice a new file in it; this does.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
