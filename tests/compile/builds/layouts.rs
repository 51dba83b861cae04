//! Where the file of a crate is, in the layouts that people have:
//! real cargo projects in temporary folders.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::{build_dir, cargo, fails, root, run};

/// A folder with cargo projects in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("in the folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    /// A package in this folder, and more of its manifest.
    fn package(&self, path: &str, name: &str, more: &str, program: &str) {
        let runtime = root().join("cache-runtime");
        self.write(
            &format!("{path}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [dependencies]\ncache-runtime = {{ path = \"{}\", version = \"0.1\" }}\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\n\
                 tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n{more}",
                runtime.display()
            ),
        );
        let file = match program.contains("fn main") {
            true => "main.rs",
            false => "lib.rs",
        };
        self.write(&format!("{path}/src/{file}"), program);
    }

    /// `cargo` in this folder. All have one folder for what they build, so
    /// that what they have in common is built once.
    fn cargo(&self, path: &str, arguments: &[&str]) -> Command {
        let mut cargo = cargo(arguments);
        cargo.current_dir(self.path(path));
        cargo.env("CARGO_TARGET_DIR", build_dir("layouts"));
        cargo.env_remove("CACHE_TOML");
        // What is resolved, is as it is here.
        let lock = self.path(path).join("Cargo.lock");
        if !lock.exists() {
            fs::copy(root().join("Cargo.lock"), lock).expect("copied");
        }
        cargo
    }

    /// What the program in this folder prints.
    fn prints(&self, path: &str) -> String {
        let output = run(&mut self.cargo(path, &["run", "--quiet", "--offline"]));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// A model, and a struct of it.
const GADGET: &str = "
    use cache_runtime::{Cached, Schema};
    use serde::{Deserialize, Serialize};
    pub static SCHEMA: Schema = cache_runtime::schema!();
    #[derive(Clone, Serialize, Deserialize, Cached)]
    pub struct Gadget { pub id: i64 }
";

fn gadget(key: &str) -> String {
    format!("[model.gadget]\nkey = \"{key}_{{id}}\"\n")
}

/// Prints the gadget's key, and starts a cache.
const PRINTS: &str = "
    #[tokio::main]
    async fn main() {
        println!(\"{}\", Gadget::key(1));
        if let Err(error) = cache_runtime::Cache::builder((), &SCHEMA).without_outbox().build().await {
            println!(\"{error}\");
        }
    }
";

#[test]
fn a_published_library_has_its_own_file_and_never_its_users() {
    let folder = Folder::new();
    folder.package("workspace/gadgets", "gadgets", "", GADGET);
    folder.write("workspace/Cargo.toml", "[workspace]\nmembers = [\"*\"]");
    folder.write("workspace/cache.toml", &gadget("workspace"));
    // The workspace's, as its own.
    #[cfg(unix)]
    std::os::unix::fs::symlink("../cache.toml", folder.path("workspace/gadgets/cache.toml"))
        .expect("writable");
    #[cfg(not(unix))]
    folder.write("workspace/gadgets/cache.toml", &gadget("workspace"));
    let package = ["package", "--offline", "--no-verify", "--allow-dirty", "--exclude-lockfile"];
    let mut package = folder.cargo("workspace/gadgets", &package);
    let target = folder.path("packages");
    run(package.env("CARGO_TARGET_DIR", &target));

    // As it is in its user's repository.
    let vendor = folder.path("shop/vendor");
    fs::create_dir_all(&vendor).expect("writable");
    let archive = target.join("package/gadgets-0.1.0.crate");
    run(Command::new("tar").arg("-xzf").arg(archive).current_dir(&vendor));
    let runtime = root().join("cache-runtime");
    folder.package(
        "shop",
        "shop",
        &format!(
            "gadgets = {{ path = \"vendor/gadgets-0.1.0\" }}\n\
             [patch.crates-io]\ncache-runtime = {{ path = \"{}\" }}\n[workspace]\n",
            runtime.display()
        ),
        &format!(
            "{}{}",
            GADGET,
            PRINTS
                .replace("Gadget::key(1)", "[Gadget::key(1), gadgets::Gadget::key(1)].join(\" \")")
        ),
    );
    folder.write("shop/cache.toml", &gadget("shop"));
    assert_eq!(folder.prints("shop"), "shop_1 workspace_1");
    let everywhere = folder.path("shop/cache.toml");
    let mut shop = folder.cargo("shop", &["run", "--quiet", "--offline"]);
    let output = run(shop.env("CACHE_TOML", everywhere));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "shop_1 workspace_1");

    // Published without it.
    fs::remove_file(vendor.join("gadgets-0.1.0/cache.toml")).expect("it is in the package");
    let said = fails(&mut folder.cargo("shop", &["build", "--offline"]));
    assert!(said.contains("this package comes without a cache.toml"), "{said}");
    assert!(said.contains("vendor/gadgets-0.1.0"), "{said}");
}

/// A value and what it embeds are of one file; another's would not be found by what it depends on.
#[test]
fn a_row_of_another_file_is_not_embedded() {
    let folder = Folder::new();
    folder.package("parts", "parts", "[workspace]\n", GADGET);
    folder.write("parts/cache.toml", &gadget("parts"));
    folder.package(
        "box",
        "boxes",
        "parts = { path = \"../parts\" }\n[workspace]\n",
        "use cache_runtime::Cached;
        use parts::Gadget;
        use serde::{Deserialize, Serialize};
        #[derive(Serialize, Deserialize, Cached)]
        struct Case { id: i64, gadget_id: i64, gadget: Gadget }
        fn main() {}",
    );
    let file = "[model.case]\nkey = \"case_{id}\"\nreferences = { gadget_id = \"gadget\" }\ndepends-on = [\"gadget\"]\n";
    folder.write("box/cache.toml", &format!("{}{file}", gadget("box")));
    let said = fails(&mut folder.cargo("box", &["build", "--offline"]));
    let why = "`gadget` is to hold rows of `gadget` as cache.toml has it, but its type is of another cache.toml";
    assert!(said.contains(why), "{said}");
}

#[cfg(unix)]
#[test]
fn a_member_that_is_a_link_has_its_workspaces_file_and_is_built_again_with_it() {
    let folder = Folder::new();
    folder.package("elsewhere/linked", "linked", "", &format!("{GADGET}{PRINTS}"));
    folder.write("workspace/Cargo.toml", "[workspace]\nmembers = [\"linked\"]");
    folder.write("workspace/cache.toml", &gadget("old"));
    let link = folder.path("workspace/linked");
    std::os::unix::fs::symlink(folder.path("elsewhere/linked"), link).expect("writable");
    assert_eq!(folder.prints("workspace"), "old_1");
    folder.write("workspace/cache.toml", &gadget("new"));
    assert_eq!(folder.prints("workspace"), "new_1");
}

/// Cargo looks at the files that there were, so it builds nothing; the program says so.
#[test]
fn a_nearer_file_that_appears_is_noticed() {
    let folder = Folder::new();
    folder.package("workspace/near", "near", "", &format!("{GADGET}{PRINTS}"));
    folder.write("workspace/Cargo.toml", "[workspace]\nmembers = [\"near\"]");
    folder.write("workspace/cache.toml", &gadget("far"));
    assert_eq!(folder.prints("workspace"), "far_1");
    folder.write("workspace/near/cache.toml", &gadget("near"));
    let printed = folder.prints("workspace");
    let own = folder.path("workspace/near/cache.toml");
    let said = format!(
        "far_1\n`{}` has appeared since this was compiled, and comes before `cache.toml`\nhelp: ",
        own.display()
    );
    assert!(printed.starts_with(&said), "{printed}");
    folder.package("workspace/near", "near", "", &format!("{GADGET}{PRINTS} "));
    assert_eq!(folder.prints("workspace"), "near_1");
}

/// Two checkouts of one repository that build in one folder: cargo takes what one has built for the
/// other's, sources and all. What is then of two files is told.
#[test]
fn two_checkouts_with_one_target_do_not_mix_their_files() {
    let folder = Folder::new();
    let program = "
        use cache_runtime::{BoxError, Cache, Load, LoadContext, Schema};
        use checkout_models::Gadget;
        static SCHEMA: Schema = cache_runtime::schema!();
        struct Db;
        impl Load<Db> for Gadget {
            async fn load(_: &LoadContext<Db>, _: &[i64]) -> Result<Vec<Gadget>, BoxError> { Ok(Vec::new()) }
        }
        #[tokio::main]
        async fn main() {
            let cache = Cache::builder(Db, &SCHEMA).without_outbox().build().await.unwrap();
            match Gadget::get(&cache, 1).await {
                Ok(_) => println!(\"{}\", Gadget::key(1)),
                Err(error) => println!(\"{error}\"),
            }
        }
    ";
    let needs = "checkout-models = { path = \"../models\" }\n";
    let service = |checkout: &str, program: &str| {
        let path = format!("{checkout}/service");
        folder.package(&path, "checkout-service", needs, program);
    };
    for checkout in ["one", "two"] {
        folder.package(&format!("{checkout}/models"), "checkout-models", "", GADGET);
        service(checkout, program);
        let workspace = "[workspace]\nmembers = [\"models\", \"service\"]\nresolver = \"3\"";
        folder.write(&format!("{checkout}/Cargo.toml"), workspace);
        folder.write(&format!("{checkout}/cache.toml"), &gadget(checkout));
    }
    assert_eq!(folder.prints("one"), "one_1");
    // The service is built again, from here; what it uses is not.
    service("two", &format!("{program} "));
    let printed = folder.prints("two");
    let said =
        "`checkout_models::Gadget` was compiled with `cache.toml` of package `checkout-models`";
    assert!(printed.starts_with(said), "{printed}");
}
