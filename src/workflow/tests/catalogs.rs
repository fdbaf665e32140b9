//! What is read of a manifest, and what is said of the rest.

use serde_json::json;

use super::*;

fn catalog(manifest: &serde_json::Value) -> Catalog {
    let tree = Tree::default().with(WORKFLOW_MANIFESTS[0], manifest.to_string());
    Catalog::read(&tree).expect("a manifest")
}

fn pointers(catalog: &Catalog) -> Vec<&str> {
    catalog.faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

#[test]
fn the_preferred_manifest_counts_whatever_it_says() {
    let both = Tree::default()
        .with(WORKFLOW_MANIFESTS[0], r#"{"name": "new"}"#)
        .with(WORKFLOW_MANIFESTS[1], r#"{"workflows": [{"name": "a", "source": "./a"}]}"#);
    let catalog = Catalog::read(&both).expect("a manifest");
    assert_eq!((catalog.manifest.as_str(), catalog.workflows.len()), (WORKFLOW_MANIFESTS[0], 0));
    let old = Tree::default().with(WORKFLOW_MANIFESTS[1], r#"{"workflows": [{"name": "a", "source": "./a"}]}"#);
    assert_eq!(Catalog::read(&old).expect("a manifest").workflows.len(), 1);
    let plugins_only = Tree::default().with(PLUGIN_MANIFESTS[0], "{}");
    assert_eq!(
        Catalog::read(&plugins_only),
        Err(ManifestError::Missing { path: ".claude-plugin/marketplace.json".to_owned() })
    );
}

#[test]
fn what_is_no_manifest_says_so() {
    let at =
        |text: &str| Catalog::read(&Tree::default().with(WORKFLOW_MANIFESTS[0], text)).expect_err(text).to_string();
    assert_eq!(at("null"), "'.athena-workflow/marketplace.json': has to be an object, and is null");
    let wrong = at(r#"{"workflows": {}}"#);
    assert_eq!(wrong, "'.athena-workflow/marketplace.json': /workflows: has to be an array, and is an object");
    assert!(at("{").contains("is not JSON"), "{}", at("{"));
    for (tree, expected) in [
        (Tree::default().with_link(".athena-workflow"), "'.athena-workflow' is a symbolic link"),
        (Tree::default().with_submodule(".athena-workflow"), "'.athena-workflow' is a submodule"),
        (Tree::default().with(".athena-workflow/marketplace.json/x", ""), "is a folder"),
    ] {
        let told = Catalog::read(&tree).expect_err(expected).to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn one_bad_entry_hides_no_other() {
    let catalog = catalog(&json!({"workflows": [
        null, "text", {"source": "./x"}, {"name": "../evil", "source": "./x"}, {"name": 5}, {"name": "object", "source": {"source": "npm"}},
        {"name": "number", "source": 5}, {"name": "none"}, {"name": "out", "source": "../x"}, {"name": "root", "source": "/etc/passwd"},
        {"name": "good", "source": "./good.json", "version": 1, "description": ["no"]},
    ], "metadata": []}));
    assert_eq!(catalog.workflows.last().map(|entry| entry.path.clone()), Some(Ok("good.json".to_owned())));
    let broken: Vec<&str> =
        catalog.workflows.iter().filter(|entry| entry.path.is_err()).map(|entry| entry.name.as_str()).collect();
    assert_eq!(broken, ["object", "number", "none", "out", "root"]);
    assert_eq!(
        pointers(&catalog),
        [
            "/metadata",
            "/workflows/0",
            "/workflows/1",
            "/workflows/2",
            "/workflows/3/name",
            "/workflows/4/name",
            "/workflows/5",
            "/workflows/6",
            "/workflows/7",
            "/workflows/8",
            "/workflows/9",
            "/workflows/10/version",
            "/workflows/10/description",
        ]
    );
}

#[test]
fn bare_sources_are_in_the_folder_for_them() {
    let path = |root: &str, source: &str| {
        let manifest = json!({"metadata": {"workflowRoot": root}, "workflows": [{"name": "a", "source": source}]});
        catalog(&manifest).workflows.remove(0).path.ok()
    };
    for (root, source, expected) in [
        ("./flows", "a/workflow.json", Some("flows/a/workflow.json")),
        ("flows/", "./a.json", Some("a.json")),
        ("flows", "../a.json", None),
        ("flows", "x/../a.json", Some("flows/a.json")),
        ("flows", "..", Some("")),
        ("../", "a.json", None),
        ("/abs", "a.json", None),
        ("", "a.json", Some("a.json")),
    ] {
        assert_eq!(path(root, source).as_deref(), expected, "{root} {source}");
    }
}

#[test]
fn old_folders_lead_to_new_ones() {
    let at = |source: &str| {
        let manifest = json!({"workflows": [{"name": "a", "source": source}]}).to_string();
        let tree = Tree::default()
            .with(WORKFLOW_MANIFESTS[0], manifest)
            .with(".workflows/a/workflow.json", "old")
            .with(".workflows/b/workflow.json", "old")
            .with("workflows/a/workflow.json", "new")
            .with("sub/.workflows/a/workflow.json", "old");
        let entry = Catalog::read(&tree).expect("a manifest").workflows.remove(0);
        entry.locate(&tree).map(|place| place.path()).map_err(|error| error.to_string())
    };
    assert_eq!(at("./.workflows/a/workflow.json").as_deref(), Ok("workflows/a/workflow.json"));
    assert_eq!(at("./.workflows/b/workflow.json").as_deref(), Ok(".workflows/b/workflow.json"));
    assert_eq!(at("./sub/.workflows/a/workflow.json").as_deref(), Ok("sub/.workflows/a/workflow.json"));
    assert_eq!(at("./workflows/a").as_deref(), Ok("workflows/a/workflow.json"), "a folder will do");
    assert_eq!(at("./.workflows/b/").as_deref(), Ok(".workflows/b/workflow.json"));
    assert_eq!(at("./workflows"), Err("there is no 'workflow.json' in 'workflows'".to_owned()));
    assert_eq!(at("./gone.json"), Err("there is no 'gone.json'".to_owned()));
}

#[test]
fn links_and_submodules_are_told_and_not_followed() {
    let tree = Tree::default()
        .with("a/workflow.md", "x")
        .with_link("a/workflow.json")
        .with_link("linked")
        .with_submodule("module")
        .with("plain.json", "{}");
    for (path, expected) in [
        ("a/workflow.json", EntryError::Link { at: "a/workflow.json".to_owned() }),
        ("a", EntryError::Link { at: "a/workflow.json".to_owned() }),
        ("linked/deploy/workflow.json", EntryError::Link { at: "linked".to_owned() }),
        ("linked", EntryError::Link { at: "linked".to_owned() }),
        ("module/workflow.json", EntryError::Submodule { at: "module".to_owned() }),
        ("plain.json/x", EntryError::Missing { path: "plain.json/x".to_owned() }),
    ] {
        assert_eq!(locate(&tree, path), Err(expected), "{path}");
    }
    assert_eq!(
        locate(&tree, "plain.json").map(|place| (place.folder.clone(), place.path())),
        Ok((String::new(), "plain.json".to_owned()))
    );
}

#[test]
fn renames_are_followed_to_their_end() {
    let catalog = catalog(&json!({
        "workflows": [{"name": "new", "source": "./new.json"}],
        "renames": {"old": "newer", "newer": "new", "gone": null, "one": "two", "two": "one", "../x": "new", "odd": 5},
    }));
    let name = |text: &str| text.parse::<Name>().expect("a name");
    assert_eq!(catalog.about.renamed(&name("old")), Some(Some(&name("new"))));
    assert_eq!(catalog.about.renamed(&name("gone")), Some(None));
    assert_eq!(catalog.about.renamed(&name("one")), Some(None), "a circle leads nowhere");
    assert_eq!(catalog.about.renamed(&name("new")), None);
    assert_eq!(catalog.named(&name("old")).count(), 1);
    assert_eq!(pointers(&catalog), ["/renames/..~1x", "/renames/odd"]);
}

#[test]
fn the_nearest_root_is_the_marketplace() {
    let tree = Tree::default()
        .with(WORKFLOW_MANIFESTS[1], "{}")
        .with("a/.agents/plugins/marketplace.json", "{}")
        .with("a/b/c", "");
    let root = |folder: &str| marketplace_root(&tree, folder).expect("readable");
    assert_eq!(root("a/b").as_deref(), Some("a"));
    assert_eq!(root("x/y").as_deref(), Some(""));
    assert_eq!(root("").as_deref(), Some(""));
    assert_eq!(marketplace_root(&Tree::default(), "a/b"), Ok(None));
    let rooted = Rooted::new(&tree, "a");
    assert!(matches!(rooted.look("b/c"), Ok(Some(Node::File { .. }))));
    assert!(matches!(rooted.look(""), Ok(Some(Node::Folder { .. }))));
    assert_eq!(rooted.list("").expect("a folder").len(), 2);
    assert_eq!(rooted.read("b/c", 10), Ok(Vec::new()));
}
