//! Where plugins come from.

use serde_json::{Value, json};

use super::*;

fn source(root: Option<&str>, source: &Value) -> Result<PluginSource, String> {
    let metadata = root.map(|root| json!({"pluginRoot": root}));
    let manifest = json!({"metadata": metadata, "plugins": [{"name": "fmt", "source": source}]});
    let tree = Tree::default().with(PLUGIN_MANIFESTS[1], manifest.to_string());
    let catalog = PluginCatalog::read(&tree).expect("a manifest");
    let source = catalog.plugins[0].source.clone();
    assert_eq!(source.is_err(), catalog.faults.iter().any(|fault| fault.pointer == "/plugins/0"));
    source.map_err(|error| error.to_string())
}

fn inside(folder: &str) -> Result<PluginSource, String> {
    Ok(PluginSource::Inside { folder: folder.to_owned() })
}

/// Returns the source of a plugin that git can fetch, and the branch that is named beside the commit.
fn git(value: &Value) -> (String, Option<String>) {
    match source(None, value) {
        Ok(PluginSource::Git { source, branch }) => (source.to_string(), branch.map(|branch| branch.to_string())),
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn what_lies_in_the_marketplace_is_found() {
    assert_eq!(source(None, &json!("./plugins/fmt")), inside("plugins/fmt"));
    assert_eq!(source(None, &json!("./plugins//fmt/")), inside("plugins/fmt"));
    assert_eq!(source(None, &json!("./")), inside(""));
    assert_eq!(source(Some("./plugins"), &json!("fmt")), inside("plugins/fmt"));
    assert_eq!(source(Some("./plugins"), &json!("./fmt")), inside("fmt"));
    assert_eq!(source(None, &json!({"source": "local", "path": "./plugins/fmt"})), inside("plugins/fmt"));
    for bad in [
        json!("fmt"),
        json!("../fmt"),
        json!("./../fmt"),
        json!("/fmt"),
        json!("./a\\b"),
        json!("./.git"),
        json!(5),
        json!(null),
        json!({"source": "local"}),
        json!({"source": "local", "path": "../x"}),
        json!({}),
        json!([]),
    ] {
        assert!(source(None, &bad).is_err(), "{bad}");
    }
}

#[test]
fn what_git_can_fetch_becomes_a_source() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(git(&json!({"source": "github", "repo": "o/r", "ref": "v1"})), ("o/r#v1".to_owned(), None));
    assert_eq!(
        git(&json!({"source": "github", "repo": "o/r", "ref": "main", "sha": sha})),
        (format!("o/r#{sha}"), Some("main".to_owned()))
    );
    assert_eq!(
        git(&json!({"source": "url", "url": "https://h/o/r.git", "path": "./sub", "sha": sha})),
        (format!("https://h/o/r.git#{sha}:sub"), None)
    );
    assert_eq!(git(&json!({"source": "url", "url": "git@h:o/r"})), ("git@h:o/r".to_owned(), None));
    assert_eq!(
        git(&json!({"source": "git-subdir", "url": "o/r", "path": "a/b", "ref": "main"})),
        ("o/r#main:a/b".to_owned(), None)
    );
    for bad in [
        json!({"source": "github"}),
        json!({"source": "github", "repo": "r"}),
        json!({"source": "github", "repo": "../r"}),
        json!({"source": "github", "repo": "o/r", "ref": "--upload-pack=x"}),
        json!({"source": "github", "repo": "o/r", "sha": "abc"}),
        json!({"source": "github", "repo": "o/r", "ref": 5}),
        json!({"source": "url", "url": "ext::sh -c x"}),
        json!({"source": "url", "url": "https://h/o/r", "path": "../x"}),
        json!({"source": "git-subdir", "url": "o/r"}),
        json!({"source": "url", "url": "--x"}),
        json!({"source": "url", "url": "/etc"}),
    ] {
        assert!(source(None, &bad).is_err(), "{bad}");
    }
}

#[test]
fn what_git_cannot_fetch_is_known_by_name() {
    for kind in ["npm", "archive", "command"] {
        let told = source(None, &json!({"source": kind, "package": "x"}));
        assert_eq!(told, Err(format!("comes from {kind}, which is not supported")));
    }
    let told = source(None, &json!({"source": "carrier-pigeon"}));
    assert_eq!(told, Err("comes from 'carrier-pigeon', which is not supported".to_owned()));
}

#[test]
fn plugins_are_found_by_name_and_by_what_they_were_called() {
    let manifest = json!({
        "plugins": [{"name": "fmt", "source": "./fmt", "strict": false, "version": "1.2.0"}, {"name": "fmt", "source": "./other"}],
        "renames": {"format": "fmt"},
    });
    let tree = Tree::default().with(PLUGIN_MANIFESTS[0], manifest.to_string()).with("fmt/x", "").with_link("ln");
    let catalog = PluginCatalog::read(&tree).expect("a manifest");
    let found = |name: &str| catalog.named(&name.parse().expect("a name")).map(|entry| entry.pointer.as_str());
    assert_eq!((found("fmt"), found("format"), found("x")), (Some("/plugins/0"), Some("/plugins/0"), None));
    assert!(!catalog.plugins[0].strict && catalog.plugins[1].strict);
    assert!(locate_plugin(&tree, "fmt").is_ok() && locate_plugin(&tree, "").is_ok());
    assert_eq!(locate_plugin(&tree, "ln"), Err(EntryError::Link { at: "ln".to_owned() }));
    assert_eq!(locate_plugin(&tree, "fmt/x"), Err(EntryError::Missing { path: "fmt/x/".to_owned() }));
}
