//! References, sources, manifests and definitions of workflows: any text is read or refused, and what is shown is read
//! again as the same.
#![no_main]

use git_trace::model::ObjectId;
use git_trace::workflow::{
    Catalog, Definition, Files, FilesError, Host, McpServers, Named, Node, PluginCatalog, PluginSource, Reference,
    Requirement, Source, Version,
};

/// Has every manifest that is asked for, and nothing else.
struct One<'a>(&'a [u8]);

impl Files for One<'_> {
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError> {
        let id = ObjectId::from_bytes(&[0; 20]).expect("20 bytes");
        Ok(path.ends_with(".json").then_some(Node::File { id, executable: false }))
    }

    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, FilesError> {
        Ok(self.0.to_vec())
    }

    fn list(&self, _: &str) -> Result<Vec<(String, Node)>, FilesError> {
        Ok(Vec::new())
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = One(bytes);
    if let Ok(catalog) = Catalog::read(&files) {
        for entry in &catalog.workflows {
            let _ = entry.locate(&files);
            assert!(catalog.named(&entry.name).count() > 0);
            if let Ok(path) = &entry.path {
                assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."));
            }
        }
    }
    if let Ok(catalog) = PluginCatalog::read(&files) {
        for entry in &catalog.plugins {
            if let Ok(PluginSource::Git { source, .. }) = &entry.source {
                assert_eq!(Source::parse(&source.exact(), &|_| None).as_ref(), Ok(source));
            }
        }
    }
    let _ = Definition::read(bytes);
    let _ = McpServers::read(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(Reference::Named(named)) = Reference::parse(text, &|_| None) {
        assert_eq!(Named::parse(&named.exact()).as_ref(), Ok(&*named));
    }
    if let Ok(source) = Source::parse(text, &|_| None) {
        let _ = source.identity(&Host::default());
        assert_eq!(Source::parse(&source.exact(), &|_| None).as_ref(), Ok(&source));
    }
    if let (Ok(requirement), Ok(version)) = (text.parse::<Requirement>(), Version::parse(text)) {
        assert!(requirement.accepts(&version) || version.is_pre_release() || requirement.as_str() != version.as_str());
    }
});
