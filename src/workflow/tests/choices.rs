//! Which workflow is meant.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::json;

use super::*;

/// Is a marketplace with its tags; counts what is asked of it.
struct Shop {
    /// Whether its tags cannot be had.
    offline: bool,
    source: &'static str,
    head: Result<Tree, SourceFault>,
    tags: BTreeMap<&'static str, Tree>,
    opened: Cell<usize>,
    listed: Cell<usize>,
}

impl Shop {
    fn new(source: &'static str, head: Tree) -> Self {
        Shop {
            offline: false,
            source,
            head: Ok(head),
            tags: BTreeMap::new(),
            opened: Cell::new(0),
            listed: Cell::new(0),
        }
    }

    fn with_tag(mut self, tag: &'static str, tree: Tree) -> Self {
        self.tags.insert(tag, tree);
        self
    }

    fn failing(source: &'static str, fault: SourceFault) -> Self {
        Shop { head: Err(fault), ..Shop::new(source, Tree::default()) }
    }
}

impl Market for Shop {
    fn files(&self) -> Result<&dyn Files, SourceFault> {
        self.head.as_ref().map(|tree| tree as &dyn Files).map_err(Clone::clone)
    }

    fn tags(&self) -> Result<Vec<String>, SourceFault> {
        self.listed.set(self.listed.get() + 1);
        if self.offline {
            return Err(SourceFault::Offline);
        }
        Ok(self.tags.keys().map(|tag| (*tag).to_owned()).collect())
    }

    fn at_tag(&self, tag: &str) -> Result<Box<dyn Files + '_>, SourceFault> {
        self.opened.set(self.opened.get() + 1);
        Ok(Box::new(Rooted::new(&self.tags[tag], "")))
    }
}

fn ask(reference: &str, shops: &[&Shop]) -> Result<Choice, ResolveError> {
    ask_for(reference, shops, Precedence::Ask)
}

fn ask_for(reference: &str, shops: &[&Shop], prefer: Precedence) -> Result<Choice, ResolveError> {
    let searched: Vec<Searched<'_>> = shops
        .iter()
        .map(|shop| {
            let source = Source::parse(shop.source, &|_| None).expect("a source");
            Searched { identity: source.identity(&Host::default()), source, market: *shop }
        })
        .collect();
    choose(&Named::parse(reference).expect("a reference"), &searched, prefer)
}

/// Returns what was chosen: where, at which tag, in which version.
fn chosen(choice: Result<Choice, ResolveError>) -> (usize, Option<String>, Option<String>) {
    let choice = choice.unwrap_or_else(|error| panic!("{error} {:?}", error.hints()));
    (choice.market, choice.tag, choice.version.map(|version| version.to_string()))
}

fn here(market: usize, version: &str) -> (usize, Option<String>, Option<String>) {
    (market, None, Some(version.to_owned()))
}

fn tagged(market: usize, tag: &str, version: &str) -> (usize, Option<String>, Option<String>) {
    (market, Some(tag.to_owned()), Some(version.to_owned()))
}

#[test]
fn a_name_that_one_marketplace_has_is_found() {
    let one = Shop::new("acme/flows", market(&json!([entry("deploy", "1.0.0"), entry("review", "2.1.0")])));
    let two = Shop::new("acme/more", market(&json!([entry("other", "1.0.0")])));
    let choice = ask("deploy", &[&two, &one]).expect("a choice");
    assert_eq!((choice.market, choice.place.path().as_str()), (1, "workflows/deploy/workflow.json"));
    assert_eq!(choice.manifest, ".athena-workflow/marketplace.json");
    assert_eq!((one.listed.get(), two.listed.get()), (0, 0), "tags are nobody's business without a version");
}

#[test]
fn a_name_that_nobody_has_is_told_with_what_is_near() {
    let one = Shop::new("acme/flows", market(&json!([entry("deploy", "1.0.0"), entry("review", "2.1.0")])));
    let down = Shop::failing("acme/down", SourceFault::Unreachable { reason: "no route".to_owned() });
    let error = ask("depoly", &[&one, &down]).expect_err("nobody has it");
    assert_eq!(error.to_string(), "no workflow 'depoly' in 'acme/flows'");
    assert_eq!(error.hints(), ["acme/down was not searched: cannot be reached: no route", "did you mean 'deploy'?"]);
    let error = ask("x@acme/flows", &[&one]).expect_err("it has others");
    assert_eq!(error.hints(), ["it has 'deploy', 'review'"]);
    assert_eq!(ask("x", &[]).expect_err("none").to_string(), "no workflow 'x': no marketplace is known");
    assert_eq!(ask("x", &[&down]).expect_err("none").to_string(), "no workflow 'x': no marketplace could be searched");
    let error = ask("x@acme/down", &[&down]).expect_err("it is down");
    assert_eq!(error.to_string(), "cannot search 'acme/down': cannot be reached: no route");
    let gone = market(&json!([])).with(WORKFLOW_MANIFESTS[0], r#"{"workflows":[],"renames":{"old":null}}"#);
    let error = ask("old", &[&Shop::new("acme/flows", gone)]).expect_err("it is gone");
    assert_eq!(error.hints()[0], "acme/flows had it once, and says that it is there no more");
}

#[test]
fn what_differs_is_ambiguous_and_the_references_that_are_told_work() {
    let one = Shop::new("acme/flows", market(&json!([entry("deploy", "1.0.0")])));
    let two = Shop::new("/srv/flows", market(&json!([entry("deploy", "1.5.0")])));
    let error = ask("deploy", &[&one, &two]).expect_err("which one?");
    let ResolveError::Ambiguous { candidates, .. } = &error else { panic!("{error}") };
    let references: Vec<&str> = candidates.iter().map(|candidate| candidate.reference.as_str()).collect();
    assert_eq!(references, ["deploy@acme/flows", "deploy@/srv/flows"]);
    assert_eq!(
        error.hints(),
        ["that of acme/flows 1.0.0: deploy@acme/flows", "that of /srv/flows 1.5.0: deploy@/srv/flows"]
    );
    for (candidate, shop) in candidates.iter().zip([&one, &two]) {
        assert_eq!(chosen(ask(&candidate.reference, &[shop])).2, candidate.version);
    }
    assert_eq!(chosen(ask_for("deploy", &[&two, &one], Precedence::First)), here(0, "1.5.0"));
    assert_eq!(chosen(ask("deploy@1.5.0", &[&one, &two])), here(1, "1.5.0"));
}

#[test]
fn the_same_is_not_ambiguous() {
    let tree = market(&json!([entry("deploy", "1.0.0")]));
    let (one, again) =
        (Shop::new("acme/flows", tree.clone()), Shop::new("https://github.com/Acme/flows.git", Tree::default()));
    assert_eq!(chosen(ask("deploy", &[&one, &again])), here(0, "1.0.0"));
    let mirror = Shop::new("https://mirror.example/flows", tree.with("README.md", "another"));
    let choice = ask("deploy", &[&one, &mirror]).expect("they have the same");
    assert_eq!((choice.market, choice.mirrors), (0, vec![1]));
}

#[test]
fn entries_of_one_name_are_versions_of_it() {
    let entries = json!([
        {"name": "deploy", "version": "1.0.0", "source": "./v1/workflow.json"},
        {"name": "deploy", "version": "2.0.0", "source": "./v2/workflow.json"},
        {"name": "deploy", "version": "3.0.0-rc.1", "source": "./v3/workflow.json"},
        {"name": "twice", "version": "1.0.0", "source": "./v1/workflow.json"},
        {"name": "twice", "version": "1.0.0", "source": "./v2/workflow.json"},
    ]);
    let tree =
        market(&entries).with("v1/workflow.json", "1").with("v2/workflow.json", "2").with("v3/workflow.json", "3");
    let shop = Shop::new("acme/flows", tree);
    assert_eq!(chosen(ask("deploy", &[&shop])), here(0, "2.0.0"));
    assert_eq!(chosen(ask("deploy@1.0.0", &[&shop])), here(0, "1.0.0"));
    assert_eq!(chosen(ask("deploy@3.0.0-rc.1", &[&shop])), here(0, "3.0.0-rc.1"));
    let error = ask("twice", &[&shop]).expect_err("which one?");
    let told = "cannot use workflow 'twice' of 'acme/flows': its manifest has two that differ, at /workflows/3 and /workflows/4";
    assert_eq!(error.to_string(), told);
    let other = Shop::new("acme/more", market(&json!([entry("twice", "1.0.0")])));
    assert_eq!(chosen(ask("twice", &[&shop, &other])), here(1, "1.0.0"));
}

#[test]
fn versions_are_found_by_tags_of_the_workflow() {
    let old = |version: &str| market(&json!([entry("deploy", version)]));
    let shop = Shop::new("acme/flows", old("2.0.0"))
        .with_tag("deploy--v1.0.0", old("1.0.0"))
        .with_tag("deploy--v1.2.0", old("1.1.0"))
        .with_tag("deploy--v1.3.0-rc.1", old("1.3.0"))
        .with_tag("deploy--v3.0.0", old("3.0.0"))
        .with_tag("v1.9.0", old("1.9.0"));
    assert_eq!(chosen(ask("deploy", &[&shop])), here(0, "2.0.0"));
    assert_eq!(chosen(ask("deploy@2.0.0", &[&shop])), here(0, "2.0.0"));
    assert_eq!((shop.listed.get(), shop.opened.get()), (0, 0), "what is asked for is at hand");
    assert_eq!(
        chosen(ask("deploy@^1", &[&shop])),
        tagged(0, "deploy--v1.2.0", "1.2.0"),
        "its own tag says its version"
    );
    assert_eq!(chosen(ask("deploy@1.0.0", &[&shop])), tagged(0, "deploy--v1.0.0", "1.0.0"));
    assert_eq!(chosen(ask("deploy@^2", &[&shop])), here(0, "2.0.0"));
    assert_eq!(chosen(ask("deploy@latest", &[&shop])), tagged(0, "deploy--v3.0.0", "3.0.0"));
    assert_eq!(chosen(ask("deploy@1.3.0-rc.1", &[&shop])), tagged(0, "deploy--v1.3.0-rc.1", "1.3.0-rc.1"));
    let error = ask("deploy@^9", &[&shop]).expect_err("there is none");
    assert_eq!(error.to_string(), "no version ^9 of workflow 'deploy'");
    assert_eq!(error.hints()[0], "acme/flows has 3.0.0, 2.0.0, 1.3.0-rc.1, 1.2.0, 1.0.0");
}

#[test]
fn tags_of_the_marketplace_lead_to_what_the_entry_says() {
    let old = |version: &str| market(&json!([entry("deploy", version)]));
    let silent = json!([{"name": "deploy", "source": "./workflows/deploy/workflow.json"}]);
    let shop = Shop::new("acme/flows", old("2.0.0"))
        .with_tag("v5.0.0", old("1.5.0"))
        .with_tag("v1.4.0", old("1.2.0"))
        .with_tag("v0.9.0", market(&silent))
        .with_tag("v0.8.0", market(&json!([entry("other", "0.8.0")])));
    assert_eq!(chosen(ask("deploy@^1.4", &[&shop])), tagged(0, "v5.0.0", "1.5.0"));
    assert_eq!(chosen(ask("deploy@^1.2, <1.4", &[&shop])), tagged(0, "v1.4.0", "1.2.0"));
    assert_eq!(chosen(ask("deploy@0.9", &[&shop])), tagged(0, "v0.9.0", "0.9.0"), "without a version the tag says it");
    assert!(ask("deploy@0.8", &[&shop]).is_err());
    let pinned = Shop { source: "acme/flows#v5.0.0", ..Shop::new("", old("1.5.0")) }.with_tag("v1.0.0", old("1.0.0"));
    assert!(ask("deploy@1.0.0", &[&pinned]).is_err(), "who names a state does not ask for another");
    assert_eq!(pinned.listed.get(), 0);
}

#[test]
fn what_is_at_hand_does_not_need_the_tags() {
    let shop = Shop { offline: true, ..Shop::new("acme/flows", market(&json!([entry("deploy", "1.2.0")]))) };
    let choice = ask("deploy@^1", &[&shop]).expect("it is at hand");
    assert_eq!(choice.version.as_ref().map(Version::as_str), Some("1.2.0"));
    let told = "acme/flows was searched without its tags: was not fetched yet, and nothing is fetched now";
    assert_eq!(choice.failed[0].to_string(), told);
    let error = ask("deploy@^2", &[&shop]).expect_err("nobody knows");
    assert_eq!(error.hints()[..2], ["acme/flows has 1.2.0".to_owned(), told.to_owned()]);
}

#[test]
fn a_workflow_without_versions_is_at_its_newest() {
    let shop =
        Shop::new("acme/flows", market(&json!([{"name": "deploy", "source": "./workflows/deploy/workflow.json"}])));
    assert_eq!(chosen(ask("deploy@latest", &[&shop])), (0, None, None));
    let error = ask("deploy@1.0.0", &[&shop]).expect_err("it has none");
    assert_eq!(error.hints()[0], "acme/flows has it without a version");
}

#[test]
fn what_is_broken_hides_nothing_and_is_told() {
    let broken =
        |source: serde_json::Value| market(&json!([{"name": "deploy", "source": source}, entry("good", "1.0.0")]));
    let good = Shop::new("acme/good", market(&json!([entry("deploy", "1.0.0")])));
    for (source, expected) in [
        (json!("./gone.json"), "there is no 'gone.json'"),
        (json!("../x.json"), "its source '../x.json' leads out of it"),
        (json!({"source": "github", "repo": "a/b"}), "comes from github, which is not supported"),
        (json!(5), "its source has to be a string, and is a number"),
    ] {
        let shop = Shop::new("acme/flows", broken(source));
        assert_eq!(chosen(ask("good", &[&shop])), here(0, "1.0.0"));
        let error = ask("deploy", &[&shop]).expect_err("it is broken");
        assert_eq!(error.to_string(), format!("cannot use workflow 'deploy' of 'acme/flows': {expected}"));
        let choice = ask("deploy", &[&shop, &good]).expect("another has it");
        assert_eq!((choice.market, choice.broken.len()), (1, 1));
    }
    let none = Shop::new("acme/none", Tree::default());
    let choice = ask("deploy", &[&none, &good]).expect("another has it");
    assert!(matches!(choice.failed[0].fault, SourceFault::Manifest(ManifestError::Missing { .. })));
}
