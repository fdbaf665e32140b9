//! The cases in which our answer is another one, and why it is better.

/// Is a case in which we answer otherwise.
pub struct Deviation {
    /// The case.
    pub id: &'static str,
    /// The steps that we answer otherwise, by their numbers from 0; all others we answer alike.
    pub steps: &'static [usize],
    /// Why ours is better.
    pub why: &'static str,
}

const fn row(id: &'static str, steps: &'static [usize], why: &'static str) -> Deviation {
    Deviation { id, steps, why }
}

/// All of them, reviewed.
pub const DEVIATIONS: &[Deviation] = &[
    row(
        "grammar-parse",
        &[0],
        "the reference cuts at the first @ and / whatever stands there, and takes 'nope' for 'nop' of 'nop/nope'; here what is \
         no reference is refused, and 'a@o' is the version 'o' of 'a'",
    ),
    row(
        "bare-ambiguous-same-source-twice",
        &[0, 1],
        "one marketplace that is named twice, or once through a link, is one marketplace: nothing is ambiguous",
    ),
    row(
        "bare-ambiguous-dup-in-manifest",
        &[0],
        "entries of one name with different versions are versions of one workflow; without a version the newest is meant",
    ),
    row(
        "bare-local-plus-remote",
        &[0],
        "the reference tells a bare path for the local one, and installing by that forgets the marketplace; ours is \
         'deploy@<path of the marketplace>', which keeps it",
    ),
    row(
        "version-no-semver",
        &[0, 1, 2, 3, 4, 5, 6, 7],
        "versions are compared as semver: ^1.0.0, ~1.0, 1.x, latest, v1.0.0, 1.0 and =1.0.0 all mean 1.0.0 here, and a blank at \
         the end means nothing; 1.0.0+b is another build, here as there",
    ),
    row(
        "name-whitespace",
        &[0],
        "a name with a blank cannot exist: it is refused as no reference, not searched in vain",
    ),
    row(
        "name-empty-and-seps",
        &[0, 3, 4],
        "an empty reference is refused as such, and '.' and '..' are folders, since a folder with a workflow can be named",
    ),
    row(
        "fs-shadow",
        &[0, 1],
        "a file 'deploy' that lies about does not stand in for the workflow 'deploy'; a file is meant by './deploy', or by \
         an ending",
    ),
    row(
        "fs-any-file",
        &[1],
        "a file is no marketplace; a single workflow's file is named where a workflow is asked for, not among the sources",
    ),
    row(
        "manifest-bad-json",
        &[1],
        "a byte order mark before the manifest is passed over with a warning, since some editors write it",
    ),
    row(
        "src-dotdot-only",
        &[0],
        "the root of a marketplace is no workflow: there is no workflow.json in it, and that is said at once, not at install",
    ),
    row(
        "src-empty",
        &[0],
        "the root of a marketplace is no workflow: there is no workflow.json in it, and that is said at once, not at install",
    ),
    row(
        "src-abs-inside",
        &[0],
        "an absolute path holds on one machine only, and nothing in a commit; a manifest's paths are relative",
    ),
    row(
        "src-missing-file",
        &[1],
        "the name is there and its file is not: that is said, not that the name was not found",
    ),
    row(
        "src-object",
        &[1],
        "the name is there and comes from somewhere that is not supported: that is said, not that the name was not found",
    ),
    row("symlink-escape-file", &[0, 1, 2], "a link out of the marketplace is refused, and where it lies is said"),
    row("symlink-escape-dir", &[0], "a link out of the marketplace is refused, and where it lies is said"),
    row(
        "symlink-root",
        &[1],
        "a marketplace that is named through a link is its real folder everywhere, so that it is one and the same",
    ),
    row(
        "gather-urls",
        &[0, 1, 2, 3, 4, 5],
        "any address that git can fetch is a marketplace, at a branch or tag, too; '~/x', which is not there, is still refused",
    ),
    row(
        "resolve-builtin",
        &[0],
        "the built-in workflow 'default' has words of our own, read from the program and not from a copy in the user's home",
    ),
    row(
        "source-json",
        &[4, 5, 6, 7],
        "where a workflow comes from stands in the lock file of the repository; no source.json is read, so none can be wrong",
    ),
    row(
        "plugin-pluginroot",
        &[0],
        "metadata.pluginRoot is applied to bare names, as the format's own documentation has it",
    ),
    row(
        "plugin-packaged",
        &[0],
        "a plugin is its folder in the marketplace, as for every other reader of the format; dist/ is part of that tree",
    ),
    row(
        "plugin-latest-remote",
        &[1],
        "a plugin that declares a version needs no npm package and no dist/: its folder at that commit is what is locked",
    ),
    row("plugin-symlink", &[0], "a link out of the marketplace is refused, and where it lies is said"),
    row(
        "legacy-fields",
        &[0],
        "systemPromptFile, completionMarkers and trackerFile are what is called otherwise now: read, with a warning",
    ),
    row(
        "runner-hook-broken",
        &[0],
        "hooks are not what turns are counted by: an agent whose hooks are silent has still done its work",
    ),
    row("runner-max-undefined", &[0], "there is always a ceiling: 20 turns where the workflow names none"),
    row("runner-dollar", &[0], "what the user says is put in as it is: no patterns, and no second pass"),
    row("runner-no-workflow", &[0], "a run is always one of a workflow; 'default' is built in"),
    row("runner-tracker-is-directory", &[0], "a tracker that can be no file is refused before the agent is started"),
    row("runner-no-session-id", &[0], "a run has an id, so there is always a tracker, and what it says ends the run"),
    row(
        "runner-initial-resume",
        &[0],
        "a run begins in a session of its own, so that its branch holds all that the agent was told",
    ),
    row(
        "runner-workflow-file-missing",
        &[0],
        "a workflow without its instructions is refused, rather than run on the user's words alone",
    ),
    row(
        "runner-resume-after-block",
        &[0],
        "an answered block is turned into a quotation: what the agent adds below it does not fail the run",
    ),
    row(
        "runner-resume-still-blocked",
        &[0],
        "an answered block is turned into a quotation: a tracker that stays as it was does not block again",
    ),
    row(
        "templates",
        &[2, 3],
        "values are put in once and as they are: what the user says is neither a template nor a pattern",
    ),
    row(
        "compose",
        &[0, 1, 2, 3, 4],
        "instructions stand in the prompt of each turn without memory: no file that two runs could overwrite",
    ),
    row(
        "remote-diverged",
        &[3],
        "a history that was written anew needs no clone that is set aside: the mirror follows, and keeps what it had",
    ),
    row(
        "install-no-workflowfile",
        &[1],
        "a workflow that is refused leaves nothing behind; the reference leaves a file that says it is installed",
    ),
    row(
        "remote-dirty",
        &[3],
        "nothing is checked out, so that nothing can be changed there: what is read is what the commit has",
    ),
    row(
        "remote-cache-not-git",
        &[0],
        "a folder that is no repository is no cache: nothing in it is believed, and the server is asked",
    ),
    row(
        "install-name-mismatch",
        &[0, 1],
        "a workflow is installed under the name by which it was asked for, so that the same name finds it again",
    ),
    row("install-name-traversal", &[0, 1], "a name that leads out of its folder is refused, and nothing is written"),
    row(
        "install-asset-missing",
        &[0],
        "instructions that are not there are told when the workflow is installed, not when it is to be run",
    ),
    row(
        "install-asset-absolute",
        &[0, 1, 2],
        "instructions outside of the workflow's folder are no part of it: they could be any file of this machine",
    ),
    row(
        "install-asset-nested",
        &[1],
        "the whole folder is installed, each file under its own name: scripts, examples and skills are part of a workflow",
    ),
    row(
        "install-over",
        &[3],
        "an installation is exactly the folder as it is now, each file under its own name; the one before is in history",
    ),
    row(
        "upgrade-ignores-pin",
        &[3, 4],
        "an upgrade keeps to the version or range that was asked for; where that is there no more, it says so and changes nothing",
    ),
    row(
        "cmd-install-shadowed-output",
        &[1, 2],
        "a workflow of the same name from another marketplace is refused, unless --force or --as says what is meant",
    ),
];
