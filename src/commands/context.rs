//! `git trace context`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::session::{Session, failure};
use crate::export::{Format, Options, RenderError, render};
use crate::ops::context;
use crate::ui::{ExitCode, Failure, OutputError};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Write the context out: as text, or as a provider's messages")
        .long_about(
            "Write the context of a revision out, as text, markdown or JSON lines, or as the exact messages of a \
             provider's API. A sequence that the provider would refuse is refused here, with a command that repairs it. \
             The same commit always gives the same bytes.",
        )
        .arg(Arg::new("revision").value_name("revision").help("The commit; HEAD if not given"))
        .arg(
            Arg::new("as")
                .long("as")
                .value_name("format")
                .default_value("text")
                .value_parser(value_parser!(Format))
                .help("text, markdown, jsonl, anthropic, openai-chat or openai-responses"),
        )
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Show entries too that are not sent to a model (text, markdown, jsonl)"))
        .arg(Arg::new("trim").long("trim").action(ArgAction::SetTrue).help("Leave out calls at the end that are not answered yet"))
        .arg(Arg::new("pad").long("pad").action(ArgAction::SetTrue).help("Let the user speak first where the model does (anthropic)"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let revision = matches.get_one::<String>("revision").map(String::as_str);
    let found = context(session.workspace()?, revision).map_err(failure)?;
    let ui = &session.ui;
    let given = matches.get_one::<Format>("as").copied().unwrap_or(Format::Text);
    // `--json` is the form for programs of a command that reads.
    let format = if ui.wants_json() && given == Format::Text { Format::Jsonl } else { given };
    let options =
        Options { format, all: matches.get_flag("all"), trim: matches.get_flag("trim"), pad: matches.get_flag("pad") };
    ui.request_pager();
    let mut out = std::io::BufWriter::with_capacity(1 << 16, ui.raw_out());
    let rendered = render(&found.items, &options, &mut out).map_err(|error| match error {
        RenderError::Write(error) => OutputError::of_io(error).into(),
        error => {
            let failure = Failure::of_error(ExitCode::Refused, &error);
            error.hint().into_iter().fold(failure, Failure::hint)
        }
    })?;
    std::io::Write::flush(&mut out).map_err(OutputError::of_io)?;
    for id in &rendered.trimmed {
        ui.status(format!("left out at the end: {id}"));
    }
    for dropped in rendered.dropped.iter().take(5) {
        ui.status(dropped);
    }
    if rendered.dropped.len() > 5 {
        ui.status(format!("(+{} more)", rendered.dropped.len() - 5));
    }
    Ok(())
}
