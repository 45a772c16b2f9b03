//! `dscc plugin new`: starts a project, and says how it goes on.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::escape_text;
use crate::plugins::{Language, Project, as_argument, new_project};
use crate::ui::json::SchemaVersion;

use super::super::args::{Lang, PluginNew};
use super::super::context::Context;
use super::super::exit::{Failure, Status};

#[derive(Serialize)]
struct Document<'a> {
    schema_version: SchemaVersion,
    name: &'a str,
    lang: &'static str,
    dir: String,
    files: &'a [String],
}

pub(super) fn run(context: &mut Context, args: &PluginNew) -> Result<Status, Failure> {
    let language = match args.lang {
        Lang::Rust => Language::Rust,
        Lang::Python => Language::Python,
        Lang::JavaScript => Language::JavaScript,
    };
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let project = new_project(&args.name, language, &dir)?;
    let shown = escape_text(dir.as_os_str());
    if context.global.json {
        let Project { name, files, .. } = &project;
        let document = Document { schema_version: SchemaVersion, name, lang: language.name(), dir: shown, files };
        context.print_json(&document)?;
    } else if context.global.quiet {
        context.output.print(&format!("{}\n", crate::ui::escape(&shown)))?;
    } else {
        print(context, &project, language, &shown)?;
    }
    Ok(Status::Done)
}

fn print(context: &mut Context, project: &Project, language: Language, dir: &str) -> Result<(), Failure> {
    let name = &project.name;
    let count = project.files.len();
    let line = format!("Wrote {count} files to {dir}: the plugin {name}, which shows what is in ~/.cache/{name}.");
    context.output.print(&format!("{}\nNext:\n", crate::ui::escape(&line)))?;
    let component = format!("./{name}.wasm");
    let mut steps = Vec::new();
    if project.dir != Path::new(".") {
        steps.push((format!("cd {}", as_argument(dir)), ""));
    }
    steps.extend(prepare(language).iter().map(|(step, why)| ((*step).to_owned(), *why)));
    steps.push(("dscc plugin dev --once".into(), "what it finds on this machine"));
    steps.push(("dscc plugin build".into(), "the component"));
    steps.push(("dscc plugin test .".into(), "its cases, and what every plugin must keep"));
    steps.push((format!("dscc plugin add {component}"), "installs it"));
    let width = steps.iter().map(|(step, _)| step.chars().count()).max().unwrap_or(0);
    for (step, why) in steps {
        let line = if why.is_empty() { step } else { format!("{step:width$}  # {why}") };
        context.output.print(&format!("  {}\n", crate::ui::escape(&line)))?;
    }
    Ok(())
}

/// What has to be there before the first build, and the tests that need no build.
fn prepare(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::Rust => &[
            ("cargo test", "its own tests, without WebAssembly"),
            ("rustup target add wasm32-wasip2", "once: makes components"),
        ],
        Language::Python => &[
            ("python3 -m venv .venv", ""),
            (".venv/bin/pip install -r requirements.txt", "makes components"),
            ("python3 -m unittest", "its own tests, without WebAssembly"),
        ],
        Language::JavaScript => {
            &[("npm install", "makes components"), ("npm test", "its own tests, without WebAssembly")]
        }
    }
}
