//! `dscc plugin`: installing, looking at and building plugins. A file for each command; what they show of a plugin, to
//! people and as JSON, is in `row` and `rights`.

mod add;
mod info;
mod list;
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
        Plugin::Test(args) => test::run(context, args),
        Plugin::Build { dir } => build(context, dir),
    }
}

fn build(context: &mut Context, dir: &std::path::Path) -> Result<Status, Failure> {
    let built = crate::plugins::build(dir).map_err(|error| Failure::new(Status::Failed, error.to_string()))?;
    let imports: Vec<&str> = built.audit.imports.iter().map(String::as_str).collect();
    context.output.print(&format!("size      {} bytes\n", built.size))?;
    context.output.print(&format!("sha256    {}\n", built.digest))?;
    context.output.print(&format!("interface {}\n", built.audit.interface().unwrap_or("none")))?;
    context.output.print(&format!("imports   {}\n", imports.join(", ")))?;
    // The last line is the file, for scripts.
    context.output.print(&format!("{}\n", built.path.display()))?;
    Ok(Status::Done)
}
