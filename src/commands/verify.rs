//! `git trace verify`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::session::{Session, failure};
use crate::ops::{Checked, Finding, Note, Verification, Verified, Verify, verify};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError, figures::count};

/// Most notes that are printed, after which only their number is.
const NOTES_SHOWN: usize = 20;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Check from the objects alone that commits did what they say")
        .long_about(
            "Check from the objects alone that commits did what they say and nothing more: that every object has the id of \
             its bytes, every number is what counting gives, the commit names all that it changed, pins stayed and tool \
             calls kept their results when a part was compressed, and that branches, commits of the code and rows of the \
             index are what they are pointed to as. Signatures are checked by git, with your keys. What is not here is \
             said, and is no fault.",
        )
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .num_args(0..)
                .conflicts_with("all")
                .help("Commits, and ranges (A..B) of them; HEAD if not given"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .short('a')
                .action(ArgAction::SetTrue)
                .help("Everything: branches, tags, what was fetched, indexes of links; only what is odd is listed"),
        )
        .arg(
            Arg::new("signed")
                .long("signed")
                .action(ArgAction::SetTrue)
                .help("A commit without a good signature of somebody known is a finding"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let revisions: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    let request = Verify { revisions, all: matches.get_flag("all"), signed: matches.get_flag("signed") };
    let verification = verify(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("verify", 1, json_of(&verification)))?;
    } else {
        print(session, &request, &verification)?;
    }
    let wrong = verification.unsound();
    let unit = if wrong == 1 { "commit is" } else { "commits are" };
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::new(ExitCode::Refused, format!("{wrong} {unit} not what they say"))
            .hint("to look at one: git trace show <commit>")),
    }
}

fn print(session: &Session, request: &Verify, verification: &Verification) -> Result<(), OutputError> {
    let lists_all = !request.all;
    for verified in verification.commits.iter().filter(|verified| lists_all || !verified.findings.is_empty()) {
        let head = Line::new().push(Label::Commit, verified.id.short(10)).plain(" ");
        let verdict = match verified.findings.is_empty() {
            true => Line::new().push(Label::Added, "sound"),
            false => Line::new().push(Label::Removed, "not sound"),
        };
        let subject = verified.commit.as_ref().map_or("", |commit| &commit.subject);
        session.ui.print(&head.join(verdict).plain(format!(" {subject}")))?;
        print_findings(session, &verified.findings)?;
        if lists_all {
            for note in &verified.notes {
                session.ui.print(&Line::new().plain("  ").push(Label::Muted, note.to_string()))?;
            }
        }
    }
    for (name, findings, _) in verification.indexes.iter().filter(|(_, findings, _)| !findings.is_empty()) {
        let head = Line::new().push(Label::Branch, name.clone()).plain(" ");
        session.ui.print(&head.push(Label::Removed, "not sound"))?;
        print_findings(session, findings)?;
    }
    if request.all {
        print_notes(session, verification)?;
        session.ui.print(&Line::new().plain(summary(&verification.checked)))?;
    }
    Ok(())
}

fn print_findings(session: &Session, findings: &[Finding]) -> Result<(), OutputError> {
    findings
        .iter()
        .try_for_each(|finding| session.ui.print(&Line::new().plain("  ").push(Label::Removed, finding.to_string())))
}

/// Prints each note once, whichever commits it is about.
fn print_notes(session: &Session, verification: &Verification) -> Result<(), OutputError> {
    let of_commits = verification.commits.iter().flat_map(|verified| &verified.notes);
    let mut notes: Vec<&Note> = of_commits.chain(verification.indexes.iter().flat_map(|(.., notes)| notes)).collect();
    notes.sort();
    notes.dedup();
    for note in notes.iter().take(NOTES_SHOWN) {
        session.ui.print(&Line::new().push(Label::Muted, format!("note: {note}")))?;
    }
    match notes.len().saturating_sub(NOTES_SHOWN) {
        0 => Ok(()),
        more => {
            session.ui.print(&Line::new().push(Label::Muted, format!("note: {} more (--json)", count(more as u64))))
        }
    }
}

fn summary(checked: &Checked) -> String {
    let Checked { commits, trees, blobs, signed, trusted } = *checked;
    let signatures = match signed {
        0 => "none signed".to_owned(),
        _ => format!("{} signed, {} by somebody known", count(signed), count(trusted)),
    };
    format!("{} commits, {} folders, {} files; {signatures}", count(commits), count(trees), count(blobs))
}

fn json_of(verification: &Verification) -> Value {
    let Checked { commits, trees, blobs, signed, trusted } = verification.checked;
    let indexes = verification.indexes.iter().map(|(name, findings, notes)| {
        json!({
            "ref": name,
            "sound": findings.is_empty(),
            "findings": findings_json(findings),
            "notes": notes_json(notes),
        })
    });
    json!({
        "commits": verification.commits.iter().map(verified_json).collect::<Vec<_>>(),
        "refs": indexes.collect::<Vec<_>>(),
        "checked": { "commits": commits, "trees": trees, "blobs": blobs, "signed": signed, "trusted": trusted },
        "unsound": verification.unsound(),
    })
}

fn verified_json(verified: &Verified) -> Value {
    json!({
        "commit": verified.id,
        "operation": verified.commit.as_ref().map(|commit| commit.facts.operation.name()),
        "sound": verified.findings.is_empty(),
        "findings": findings_json(&verified.findings),
        "notes": notes_json(&verified.notes),
    })
}

fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let json =
        |finding: &Finding| json!({ "rule": finding.rule(), "entry": finding.entry(), "message": finding.to_string() });
    findings.iter().map(json).collect()
}

fn notes_json(notes: &[Note]) -> Vec<Value> {
    notes.iter().map(|note| json!({ "kind": note.kind(), "message": note.to_string() })).collect()
}
