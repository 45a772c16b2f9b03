//! The commands: parse, call the library, print. One file for each command; what they have in common is in `context`.

mod apply;
mod args;
mod clean;
mod context;
mod exit;
mod history;
mod list;
mod paths;
mod plugin;
mod removal;
mod show;
mod signals;
mod undo;

use std::process::ExitCode;

use clap::Parser as _;

use crate::ui::OutputError;

use args::{Args, Command};
use context::Context;

/// Runs the program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let mut context = match Context::new(args.global) {
        Ok(context) => context,
        Err(failure) => return failure.report(&mut crate::ui::Output::of_process(Default::default(), false)),
    };
    let result = match args.command {
        Command::List(args) => list::run(&mut context, &args),
        Command::Show(args) => show::run(&mut context, &args),
        Command::Clean(args) => clean::run(&mut context, &args),
        Command::Apply(args) => apply::run(&mut context, &args),
        Command::Undo(args) => undo::run(&mut context, &args),
        Command::History(args) => history::run(&mut context, &args),
        Command::Paths(args) => paths::run(&mut context, &args),
        Command::Plugin(args) => plugin::run(&mut context, &args),
    };
    let result = result.and_then(|status| match context.output.flush() {
        Ok(()) | Err(OutputError::Closed) => Ok(status),
        Err(error) => Err(error.into()),
    });
    match result {
        Ok(status) => status.into(),
        Err(failure) => failure.report(&mut context.output),
    }
}
