//! Tombstones from elsewhere, and what becomes of branches that they cover.

use super::*;
use crate::codec::Tombstone;
use crate::model::{Branch, Role};
use crate::ops::{CommitMessages, NewMessage, Tag, commit, create_repository, tag};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("repo");
        std::fs::create_dir(&path).expect("a folder");
        create_repository(&path, "A U Thor", "author@example.com").expect("a repository");
        Place { folder }
    }

    fn on(&self, branch: &str) -> Workspace {
        Workspace::discover(&self.folder.path().join("repo"), Some(branch), None).expect("a repository")
    }

    fn say(&self, branch: &str, words: &str) -> ObjectId {
        let request =
            CommitMessages { messages: vec![NewMessage::text(Role::User, words)], ..CommitMessages::default() };
        commit(&self.on(branch), &request).expect("a commit").commit.expect("made")
    }

    /// Makes the tombstone of a branch as it is at this commit, as if it came from another clone.
    fn bury(&self, branch: &str, tip: ObjectId) -> String {
        let workspace = self.on(branch);
        let repo = &workspace.repo;
        let branch = Branch::parse(branch, "").expect("a name");
        let tombstone = Tombstone::new(branch, repo.roots(tip).expect("roots"), tip);
        repo.move_refs(&[], std::slice::from_ref(&tombstone), "test", true, &repo.committer().expect("a user"))
            .expect("made");
        repo.tombstone_ref(&tombstone)
    }
}

fn is_forgotten(workspace: &Workspace, branch: &str, tip: ObjectId) -> bool {
    let branch = Branch::parse(branch, "").expect("a name");
    Tombstones::read(workspace).expect("read").covers(workspace, None, &branch, tip).is_some()
}

#[test]
fn what_others_forgot_is_moved_aside_whole() {
    let place = Place::new();
    let first = place.say("x/main", "one");
    place.say("main/main", "mine");
    let workspace = place.on("x/main");
    tag(&workspace, &Tag::Create { name: "v1".to_owned(), revision: None, force: false }).expect("a tag");
    let repo = &workspace.repo;
    assert_eq!(obey_tombstones(&workspace).expect("nothing"), []);
    let tombstone = place.bury("x/main", first);
    // It went on in the meantime, and a tracking branch is behind.
    let ahead = place.say("x/main", "two");
    let who = repo.committer().expect("a user");
    repo.move_ref("refs/trace/remotes/origin/x/main", None, first, "test", &who).expect("made");
    assert!(is_forgotten(&workspace, "x/main", ahead));

    let moved = obey_tombstones(&workspace).expect("moved");
    let told: Vec<(&str, &str)> = moved.iter().map(|one| (one.branch.as_str(), one.aside.as_str())).collect();
    let expected = [
        ("x/main", "refs/trace/aside/x/main"),
        ("origin/x/main", "refs/trace/aside/x/main"),
        ("x/v1", "refs/trace/aside/x/main"),
    ];
    assert_eq!(told, expected);
    assert!(moved.iter().all(|one| one.tombstone == tombstone));
    let undo: Vec<Option<&str>> = moved.iter().map(|one| one.undo.as_deref()).collect();
    let lift_it = format!("git trace forget --lift x/main && git trace branch x/main {ahead}");
    assert_eq!(undo, [Some(lift_it.as_str()), None, Some(format!("git trace tag x/v1 {first}").as_str())]);
    let names = |prefix: &str| -> Vec<(String, ObjectId)> { repo.list_refs(prefix).expect("refs") };
    assert_eq!(names("refs/trace/heads/").len(), 1);
    assert_eq!(names("refs/trace/remotes/").len() + names("refs/trace/tags/").len(), 0);
    assert_eq!(names("refs/trace/aside/").iter().map(|(_, id)| *id).collect::<Vec<_>>(), [ahead]);
    // What the log of the branch held is in the copy's.
    assert!(repo.logged_ids("refs/trace/aside/x/main").expect("a log").contains(&first));
    assert_eq!(obey_tombstones(&workspace).expect("nothing"), []);
    assert_eq!(workspace.take_warnings(), [""; 0]);
    assert!(repo.foreign_refs().expect("refs").is_empty());

    // Another branch of the name is another one.
    let other = place.say("x/main", "a new beginning");
    assert!(!is_forgotten(&workspace, "x/main", other));
    assert_eq!(obey_tombstones(&workspace).expect("nothing"), []);
    // Lifted, the old one may come back.
    let lifted = lift(&workspace, &Forget { names: vec!["x/main".to_owned()], ..Forget::default() }).expect("lifted");
    assert_eq!(lifted.undo, [format!("git trace branch x/main {ahead}")]);
    assert!(!is_forgotten(&workspace, "x/main", ahead));
}

#[test]
fn a_worktree_on_it_is_told_of() {
    let place = Place::new();
    let tip = place.say("main/main", "one");
    place.bury("main/main", tip);
    let moved = obey_tombstones(&place.on("main/main")).expect("moved");
    assert_eq!(moved[0].worktrees.len(), 1);
}

#[test]
fn what_is_no_tombstone_is_ignored_and_told_of() {
    let place = Place::new();
    let tip = place.say("main/main", "one");
    let name = place.bury("main/main", tip);
    let workspace = place.on("main/main");
    let repo = &workspace.repo;
    let who = repo.committer().expect("a user");
    let real = repo.find_ref_id(&name).expect("read").expect("there");
    repo.delete_ref(&name, real, &who).expect("deleted");
    // A context, and a tombstone under another name than its own.
    repo.move_ref("refs/trace/forgotten/0000000000000000", None, tip, "test", &who).expect("made");
    repo.move_ref("refs/trace/forgotten/0000000000000001", None, real, "test", &who).expect("made");
    assert_eq!(obey_tombstones(&workspace).expect("nothing"), []);
    assert_eq!(workspace.take_warnings().len(), 2);
}

#[test]
fn a_thousand_tombstones_cost_little() {
    let place = Place::new();
    let tip = place.say("main/main", "one");
    let workspace = place.on("main/main");
    let repo = &workspace.repo;
    let buried: Vec<Tombstone> = (0..1000)
        .map(|nth| Tombstone::new(Branch::new("x", &format!("b{nth}")).expect("a name"), vec![tip], tip))
        .collect();
    repo.move_refs(&[], &buried, "test", true, &repo.committer().expect("a user")).expect("made");
    let begun = std::time::Instant::now();
    assert_eq!(obey_tombstones(&workspace).expect("nothing"), []);
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_millis(500), "{took:?}");
    eprintln!("1,000 tombstones were read in {took:?}");
}
