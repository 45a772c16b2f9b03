//! `dscc plugin`: what plugin authors need.

use super::args::Plugin;
use super::context::Context;
use super::exit::{Failure, Status};

pub(super) fn run(context: &mut Context, args: &Plugin) -> Result<Status, Failure> {
    match args {
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
