//! `dscc clean`: removes what is named on the command line, or all of a cache.

use jiff::Timestamp;

use crate::clean::{Grace, Selection, Target, Terms, select};
use crate::model::Detail;
use crate::survey::{Scope, Survey};

use super::args::{Clean, Protection, Removing};
use super::context::Context;
use super::exit::{Failure, Status};
use super::removal::{self, Looked, Wish};

pub(super) fn run(context: &mut Context, args: &Clean) -> Result<Status, Failure> {
    if args.caches.caches.is_empty() && args.entries.is_empty() && !args.all {
        let message = "nothing is named to be cleaned";
        return Err(Failure::new(Status::Usage, message)
            .hint("name entries, or caches with -c, or say --all; `dscc show` lists them"));
    }
    removal::run(context, &Named { args, terms: terms(args) })
}

/// What the command line names.
struct Named<'a> {
    args: &'a Clean,
    terms: Terms,
}

/// The terms of the command line; the grace age counts from now.
fn terms(args: &Clean) -> Terms {
    let has = |protection| args.force.contains(&protection);
    let nanoseconds = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
    let now = nanoseconds(Timestamp::now().as_nanosecond());
    Terms {
        irreplaceable: has(Protection::Irreplaceable),
        needed: has(Protection::Needed),
        in_use: has(Protection::InUse),
        others: args.include_others,
        grace: Some(Grace { now, age: args.grace.map(|age| nanoseconds(age.as_nanos())) }),
    }
}

impl Wish for Named<'_> {
    fn how(&self) -> &Removing {
        &self.args.how
    }

    fn terms(&self) -> Terms {
        self.terms
    }

    fn look(&self, context: &Context, survey: &Survey) -> Result<Looked, Failure> {
        let args = self.args;
        // What is out of scope and stays may need what is in scope.
        let scope = Scope { names: args.caches.caches.clone(), with_neighbours: true };
        let mut found = removal::find(context, survey, &args.how, scope)?;
        let (_counters, _shown) = context.progress("listing");
        let targets: Vec<Target> = args.entries.iter().map(|text| Target { text: text.clone() }).collect();
        let all = args.all || targets.is_empty();
        if all {
            survey.list_whole(&mut found.inventories, &mut found.problems);
        } else {
            survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
            survey.list_for(&targets, &mut found.inventories, &mut found.problems);
        }
        let chosen = select(&found.inventories, &Selection { targets, all })?;
        Ok(Looked::new(survey, found, chosen))
    }
}
