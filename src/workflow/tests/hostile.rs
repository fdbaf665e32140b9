//! Marketplaces that mean harm, or are merely large.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::fault::FAULTS_MAX;
use super::*;

fn read(manifest: impl Into<Vec<u8>>) -> Result<Catalog, ManifestError> {
    Catalog::read(&Tree::default().with(WORKFLOW_MANIFESTS[0], manifest))
}

#[test]
fn names_that_lead_somewhere_are_left_out() {
    let names = [
        "..",
        ".",
        "../../evil",
        "/etc",
        "-rf",
        "--upload-pack=x",
        "a/b",
        "a\\b",
        "",
        " ",
        "x\u{1b}[2J",
        "a\n",
        ".git",
        "é",
        "con.lock",
    ];
    let entries: Vec<_> = names.iter().map(|name| json!({"name": name, "source": "./a.json"})).collect();
    let catalog = read(json!({"workflows": entries}).to_string()).expect("a manifest");
    assert_eq!((catalog.workflows.len(), catalog.faults.len()), (0, names.len()));
}

#[test]
fn what_is_too_much_is_refused_before_it_costs_anything() {
    let started = Instant::now();
    let large = Tree::default().with(WORKFLOW_MANIFESTS[0], vec![b' '; DOCUMENT_MAX as usize + 1]);
    assert!(matches!(Catalog::read(&large), Err(ManifestError::Json { reason: JsonError::TooLarge { .. }, .. })));
    let entries = vec![json!({"name": "a", "source": "./a"}); 20_001];
    let many = read(json!({"workflows": entries}).to_string());
    assert!(matches!(many, Err(ManifestError::Invalid { fault, .. }) if fault.pointer == "/workflows"));
    for deep in ["[", "{\"workflows\":", "{\"a\":["] {
        assert!(matches!(
            read(deep.repeat(200_000)),
            Err(ManifestError::Json { reason: JsonError::Syntax { .. }, .. })
        ));
    }
    let faulty = json!({"workflows": vec![json!(null); 20_000]}).to_string();
    assert_eq!(read(faulty).expect("a manifest").faults.len(), FAULTS_MAX);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn ten_thousand_workflows_are_read_in_a_moment() {
    let mut manifest = String::from("{\"name\":\"m\",\"workflows\":[");
    for at in 0..10_000 {
        let comma = if at == 0 { "" } else { "," };
        let entry = format!(
            "{{\"name\":\"workflow-{at}\",\"version\":\"1.{at}.0\",\"source\":\"./workflows/{at}/workflow.json\",\"description\":\"does {at} things\"}}"
        );
        write!(manifest, "{comma}{entry}").expect("a text takes all");
    }
    manifest.push_str("]}");
    let started = Instant::now();
    let _: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let plain = started.elapsed();
    let tree = Tree::default().with(WORKFLOW_MANIFESTS[0], manifest);
    let started = Instant::now();
    let catalog = Catalog::read(&tree).expect("a manifest");
    let took = started.elapsed();
    assert_eq!((catalog.workflows.len(), catalog.faults.len()), (10_000, 0));
    // 23 ms in a release, two and a half times what the parser alone takes; other work on the machine slows both down.
    assert!(took < plain * 10 + Duration::from_millis(100), "{took:?}, the parser alone {plain:?}");
}

#[test]
fn a_rename_of_everything_to_everything_ends() {
    let names: serde_json::Map<String, serde_json::Value> =
        (0..2000).map(|at| (format!("n{at}"), json!(format!("n{}", (at + 1) % 2000)))).collect();
    let catalog = read(json!({"workflows": [], "renames": names}).to_string()).expect("a manifest");
    assert_eq!(catalog.named(&"n0".parse().expect("a name")).count(), 0);
}
