//! Marketplaces on real servers: as little is fetched as can be, and nothing is lost when they change or go.

use std::fs;
use std::path::Path;

use super::shop::{Shop, json_of, only_mirror};
use crate::servers::{Kind, Server};
use crate::world::World;

/// Makes a marketplace with a large file beside its workflow, and pushes it to a server.
fn stock<'w>(world: &'w World, server: &Server) -> Shop<'w> {
    let shop = Shop::new(world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.write("media/large.bin", vec![7; 1 << 20]);
    shop.commit("one");
    publish(&shop, server, true);
    shop
}

fn publish(shop: &Shop<'_>, server: &Server, may_filter: bool) {
    let repository = server.repository().display().to_string();
    shop.git(&["push", "-q", "--force", "--tags", &repository, "main"]);
    server.git(&["config", "uploadpack.allowFilter", if may_filter { "true" } else { "false" }]);
}

#[test]
fn only_what_is_needed_is_fetched_and_it_is_there_when_the_server_is_not() {
    for kind in [Kind::File, Kind::Daemon, Kind::Http, Kind::Ssh] {
        let Some(mut server) = Server::start(kind) else { continue };
        let world = World::new("sha1");
        server.admit(&world);
        let shop = stock(&world, &server);
        let (first, tree) = (shop.head(), shop.tree_of("deploy"));
        world.ok(&["marketplace", "add", &server.url()]);
        let mirror = only_mirror(&world);
        let has = |object: &str| {
            let mut command = world.command("git", &mirror);
            command.env("GIT_NO_LAZY_FETCH", "1").args(["cat-file", "-e", object]);
            command.status().expect("git starts").success()
        };
        assert!(has(&shop.git(&["rev-parse", "HEAD:workflows/deploy/parts/more.txt"])), "{kind:?}");
        assert!(!has(&shop.git(&["rev-parse", "HEAD:media/large.bin"])), "{kind:?}: nobody needs that");
        let config = fs::read_to_string(mirror.join("config")).expect("a file");
        assert!(!config.contains("url"), "an address may hold a password: {config}");

        // Force-pushed: the new is followed, and the old is still there.
        shop.offer(&[("deploy", "2.0.0")]);
        shop.git(&["add", "--all"]);
        shop.git(&["commit", "-q", "--amend", "-m", "other"]);
        publish(&shop, &server, true);
        assert_eq!(
            json_of(&world, &["workflow", "resolve", "deploy"])["version"],
            "1.0.0",
            "{kind:?}: not before a refresh"
        );
        let refreshed = json_of(&world, &["marketplace", "refresh"]);
        let row = &refreshed["marketplaces"][0];
        assert_eq!(
            (row["old"].as_str(), row["new"].as_str()),
            (Some(first.as_str()), Some(shop.head().as_str())),
            "{kind:?}"
        );
        assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["version"], "2.0.0");
        assert!(has(&tree) && has(&first), "{kind:?}: what was seen stays");

        // Gone: what is here serves.
        server.kill();
        let away = server.repository().with_extension("away");
        fs::rename(server.repository(), &away).expect("a repository");
        let output = world.trace(&["marketplace", "refresh"]).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{kind:?}");
        world.git(&["fsck", "--strict"], &mirror);
        let found = json_of(&world, &["workflow", "resolve", "deploy"]);
        assert!(found["fetched"].is_i64() && found["version"] == "2.0.0", "{kind:?}: {found}");
        world.ok(&["workflow", "install", "--offline", "deploy"]);
        world.ok(&["workflow", "verify"]);
        let old = format!("deploy@{}#{first}", server.url());
        assert_eq!(json_of(&world, &["workflow", "resolve", "--offline", &old])["version"], "1.0.0", "{kind:?}");
        let never = format!("deploy@{}#other", server.url());
        let said = world.fails(1, &["workflow", "resolve", "--offline", &never]);
        assert!(said.contains("not fetched yet"), "{kind:?}: {said}");
        fs::rename(&away, server.repository()).expect("a repository");
    }
}

#[test]
fn servers_that_cannot_leave_anything_out_are_read_as_well() {
    for kind in [Kind::File, Kind::Http, Kind::Dulwich, Kind::Jgit] {
        let Some(server) = Server::start(kind) else { continue };
        let world = World::new("sha1");
        server.admit(&world);
        let shop = stock(&world, &server);
        publish(&shop, &server, false);
        let url = server.url();
        world.ok(&["marketplace", "add", &url]);
        let found = json_of(&world, &["workflow", "resolve", "deploy"]);
        assert_eq!(found["tree"], shop.tree_of("deploy").as_str(), "{kind:?}");
        let commit = shop.head();
        shop.offer(&[("deploy", "2.0.0")]);
        shop.commit("two");
        publish(&shop, &server, false);
        world.ok(&["marketplace", "refresh"]);
        assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["version"], "2.0.0", "{kind:?}");
        // A commit that no branch names any more at its end.
        let old = json_of(&world, &["workflow", "resolve", &format!("deploy@{url}#{commit}")]);
        assert_eq!(old["version"], "1.0.0", "{kind:?}");
        world.ok(&["workflow", "install", "deploy"]);
        world.ok(&["workflow", "verify"]);
    }
}

/// Is a web server that gives out files, and nothing else.
struct Files(std::process::Child);

impl Drop for Files {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_dumb_server_is_read_as_well() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let info = || world.git(&["update-server-info"], shop.top());
    info();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    let mut python = world.command("python3", world.root());
    let text = port.to_string();
    python.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(shop.top()).arg(&text);
    python.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let Ok(child) = python.spawn() else {
        eprintln!("skipped: python3 is not there");
        return;
    };
    let _server = Files(child);
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    world.ok(&["marketplace", "add", &format!("http://127.0.0.1:{port}/.git")]);
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["tree"], shop.tree_of("deploy").as_str());
    shop.offer(&[("deploy", "1.1.0")]);
    shop.commit("two");
    info();
    world.ok(&["marketplace", "refresh"]);
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["version"], "1.1.0");
}

#[test]
fn who_may_not_and_what_is_not_there_is_told_apart() {
    let Some(server) = Server::start(Kind::Http) else { return };
    let world = World::new("sha1");
    stock(&world, &server);
    let said = world.fails(1, &["marketplace", "add", &server.url()]);
    assert!(said.contains("git ls-remote"), "access: {said}");
    server.admit(&world);
    let none = server.url().replace("repo.git", "none.git");
    let said = world.fails(1, &["marketplace", "add", &none]);
    assert!(said.contains("cannot reach"), "{said}");
    let said = world.fails(1, &["workflow", "resolve", &format!("deploy@{}#nope", server.url())]);
    assert!(said.contains("nope"), "{said}");
    let secret = server.url().replace("http://", "http://agent:s3cret-of-the-test@");
    world.ok(&["marketplace", "add", &secret]);
    world.ok(&["workflow", "install", "deploy"]);
    let shown = [
        world.ok(&["marketplace"]),
        world.ok(&["workflow", "list", "--json"]),
        world.ok(&["workflow", "search", "--json"]),
        super::shop::lock_of(&world),
        world.git(&["log", "--format=%B", "refs/trace/workflows/deploy"], &world.repo()),
    ];
    assert!(shown.iter().all(|text| !text.contains("s3cret")), "{shown:?}");
}

#[test]
fn a_broken_cache_is_made_anew_beside_the_old() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let url = format!("file://{}", shop.path());
    world.ok(&["marketplace", "add", &url]);
    let mirror = only_mirror(&world);
    for pack in packs(&mirror) {
        let bytes = fs::read(&pack).expect("a pack");
        fs::remove_file(&pack).expect("a pack");
        fs::write(&pack, &bytes[..bytes.len() / 2]).expect("a pack");
    }
    let said = world.fails(1, &["workflow", "resolve", "--offline", "deploy"]);
    assert!(!said.contains("panicked"), "{said}");
    let refreshed = json_of(&world, &["marketplace", "refresh"]);
    let aside = refreshed["marketplaces"][0]["made_anew"].as_str().expect("it was made anew").to_owned();
    assert!(Path::new(&aside).is_dir(), "the old is kept");
    assert_eq!(json_of(&world, &["workflow", "resolve", "--offline", "deploy"])["version"], "1.0.0");
    // What is no repository is not taken for one, nor for a part of the one around it.
    fs::remove_dir_all(&mirror).expect("a mirror");
    fs::create_dir_all(mirror.join("sub")).expect("a folder");
    world.git(&["init", "-q"], &world.home());
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["version"], "1.0.0");
}

fn packs(mirror: &Path) -> Vec<std::path::PathBuf> {
    let files =
        fs::read_dir(mirror.join("objects/pack")).expect("packs").filter_map(Result::ok).map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|end| end == "pack")).collect()
}
