//! `dscc plugin`: installing, looking at and making plugins. A file for each command; what they show of a plugin, to
//! people and as JSON, is in `row` and `rights`.

mod add;
mod build;
mod dev;
mod info;
mod list;
mod new;
mod remove;
mod rights;
mod row;
mod test;
mod verify;

use super::args::Plugin;
use super::context::Context;
use super::exit::{Failure, Status};

pub(super) fn run(context: &mut Context, args: &Plugin) -> Result<Status, Failure> {
    match args {
        Plugin::Add(args) => add::add(context, args),
        Plugin::List => list::run(context),
        Plugin::Info { plugin } => info::run(context, plugin),
        Plugin::Update(args) => add::update(context, args),
        Plugin::Remove { names, dry_run } => remove::run(context, names, *dry_run),
        Plugin::Verify { names } => verify::run(context, names),
        Plugin::New(args) => new::run(context, args),
        Plugin::Build { dir } => build::run(context, dir),
        Plugin::Dev { dir, once } => dev::run(context, dir, *once),
        Plugin::Test(args) => test::run(context, args),
    }
}
