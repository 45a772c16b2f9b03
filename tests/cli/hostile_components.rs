//! Components that hang, hog, crash or ask for what they must not have. Each costs its own rows only, ends within its
//! limit, and is told by the kind of its fault; the hub's rows are there all the same.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dscc::model::Detail;
use dscc::model::Problem;
use dscc::roots::Environment;
use dscc::runtime::{Limits, LogLine, OnDemand, Runtime};
use dscc::survey::{Scope, Survey};

use crate::components::{Plugin, catalog, parse};
use crate::sandbox::{Sandbox, code_dir};

/// What became of a component beside the hub's.
pub struct Outcome {
    pub problems: Vec<Problem>,
    pub log: Vec<LogLine>,
    pub took: Duration,
    /// The ids of the component's own rows.
    pub rows: Vec<String>,
}

/// Asks a component for all it has, in a home with a hub; the hub must have its rows whatever the component does.
#[track_caller]
pub fn ask(component: &[u8], limits: Limits) -> Outcome {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    fs::create_dir_all(sandbox.home().join("bad/thing")).unwrap();
    fs::write(sandbox.home().join("bad/thing/file"), "content").unwrap();
    std::os::unix::fs::symlink(sandbox.outside(), sandbox.home().join("bad/link")).unwrap();
    let environment = Environment {
        home: Some(sandbox.home()),
        cache: sandbox.home().join(".cache"),
        temp: sandbox.path("tmp"),
        accounts: PathBuf::new(),
        ..Environment::default()
    };
    let started = Instant::now();
    let catalog = catalog(&[("bad", component)], limits);
    let survey = Survey::new(OnDemand::new(&code_dir()), catalog, environment, Vec::new());
    let mut found = survey.find(&Scope::default());
    survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
    for inventory in &mut found.inventories {
        let top: Vec<usize> = (0..inventory.items.len()).collect();
        survey.list_below(inventory, &top, &mut found.problems);
    }
    let took = started.elapsed();
    let (mut hub, mut rows) = (Vec::new(), Vec::new());
    for inventory in &found.inventories {
        let is_hub = inventory.root.given().ends_with("huggingface/hub");
        let of = if is_hub { &mut hub } else { &mut rows };
        of.extend(inventory.items.iter().map(|item| item.entry.id.clone()));
    }
    assert_eq!(hub, ["model/acme/a".to_owned(), format!("model/acme/a@{}", "a".repeat(40))], "{:?}", found.problems);
    let bad = survey.plugins().iter().find(|loaded| loaded.known.name() == "bad");
    let log = bad.map(|loaded| loaded.take_log()).unwrap_or_default();
    Outcome { problems: found.problems, log, took, rows }
}

/// The component must fail in one way: with this code, and these words in the message.
#[track_caller]
pub fn fails_by(component: &[u8], limits: Limits, code: &str, words: &str) -> Outcome {
    let outcome = ask(component, limits);
    let told: Vec<_> = outcome.problems.iter().map(|it| (it.code.as_str(), it.message.as_str())).collect();
    let [(found, message)] = told.as_slice() else { panic!("one problem was to be told: {told:?}") };
    assert!(*found == code && message.contains(words) && message.contains("`bad`"), "{found}: {message}");
    assert_eq!(outcome.rows, Vec::<String>::new());
    outcome
}

fn short() -> Limits {
    Limits { guest_time: Duration::from_millis(300), ..Limits::default() }
}

#[test]
fn a_component_that_behaves_has_its_row() {
    let outcome = ask(&Plugin::new().build(), Limits::default());
    assert_eq!((outcome.problems, outcome.rows), (vec![], vec!["thing".to_owned()]));
}

#[test]
fn an_endless_loop_is_stopped_within_its_time() {
    let forever = "(loop $forever (br $forever)) (unreachable)";
    for plugin in [Plugin::new().describing(forever), Plugin::new().listing(forever)] {
        let outcome = fails_by(&plugin.build(), short(), "plugin-time", "more than 0.3 s");
        assert!(
            outcome.took >= Duration::from_millis(300) && outcome.took < Duration::from_secs(4),
            "{:?}",
            outcome.took
        );
    }
}

#[test]
fn an_endless_start_is_stopped_too() {
    let plugin = Plugin::new().with("(func $start (loop $forever (br $forever))) (start $start)");
    fails_by(&plugin.build(), short(), "plugin-time", "0.3 s");
}

#[test]
fn a_memory_hog_is_stopped_at_the_limit() {
    let grow = "(drop (memory.grow (i32.const 60000))) (unreachable)";
    for plugin in [Plugin::new().describing(grow), Plugin::new().listing(grow), Plugin::new().with("(memory 60000)")] {
        fails_by(&plugin.build(), Limits::default(), "plugin-memory", "256 MiB of memory");
    }
}

#[test]
fn memory_taken_little_by_little_is_stopped_too() {
    let plugin = Plugin::new().listing("(loop $more (drop (memory.grow (i32.const 16))) (br $more)) (unreachable)");
    let limits = Limits { memory: 16 << 20, ..Limits::default() };
    fails_by(&plugin.build(), limits, "plugin-memory", "16 MiB of memory");
}

#[test]
fn a_table_hog_is_stopped_at_the_limit() {
    let grow = "(drop (table.grow $table (ref.null func) (i32.const 100000000))) (unreachable)";
    let plugin = Plugin::new().with("(table $table 1 funcref)").listing(grow);
    fails_by(&plugin.build(), Limits::default(), "plugin-memory", "1048576 table elements");
    let plugin = Plugin::new().with("(table $table 2000000 funcref)");
    fails_by(&plugin.build(), Limits::default(), "plugin-memory", "table elements");
}

#[test]
fn a_stack_overflow_is_told_as_one() {
    let deep = "(func $deep (param i64) (result i64)
        (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))";
    let call = "(drop (call $deep (i64.const 0))) (unreachable)";
    for plugin in [Plugin::new().describing(call), Plugin::new().listing(call)] {
        fails_by(&plugin.with(deep).build(), Limits::default(), "plugin-stack", "512 KiB of stack");
    }
}

#[test]
fn a_crash_is_told_as_one() {
    fails_by(&Plugin::new().listing("(unreachable)").build(), Limits::default(), "plugin-crash", "it panicked");
    let divide = "(i32.div_u (i32.const 1) (i32.const 0))";
    fails_by(&Plugin::new().describing(divide).build(), Limits::default(), "plugin-crash", "zero");
    let outside = "(i32.load (i32.const 0x7fffffff))";
    fails_by(&Plugin::new().listing(outside).build(), Limits::default(), "plugin-crash", "memory");
}

#[test]
fn a_plugin_that_calls_the_host_while_the_host_is_giving_it_something_is_stopped() {
    // The host asks for memory when it hands over the arguments of a call, and again for what a call of its own returns.
    let log = "(call $log (i32.const 1) (i32.const 0) (i32.const 0))";
    let at_once = Plugin::new().allocating(log);
    let read = "(i32.store (i32.const 0x80) (i32.const 1))
        (call $read (local.get $root) (i32.const 0x90) (i32.const 1) (i32.const 100) (i32.const 0x100))";
    let when_it_reads = Plugin::new().allocating(&format!("(if (i32.load (i32.const 0x80)) (then {log}))"));
    for (plugin, function) in [(at_once, "discover"), (when_it_reads.prepending(read), "list-entries")] {
        let told = format!("{function}: it crashed (wasm trap: cannot leave component instance)");
        fails_by(&plugin.build(), Limits::default(), "plugin-crash", &told);
    }
}

#[test]
fn a_forbidden_import_is_named_and_nothing_runs() {
    for import in [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:filesystem/types@0.3.0",
        "evil:thing/do",
        "dscc:plugin/secrets@0.1.0",
    ] {
        let plugin = Plugin::new().importing(&format!("(import \"{import}\" (instance))"));
        fails_by(&plugin.build(), Limits::default(), "plugin-imports", import);
    }
}

#[test]
fn what_is_no_component_is_told_apart() {
    fails_by(&parse("(module)"), Limits::default(), "plugin-file", "core WebAssembly module");
    for bytes in [&b""[..], b"(component)", b"\x7fELF\x02\x01\x01", b"PK\x03\x04", &[0; 5000]] {
        fails_by(bytes, Limits::default(), "plugin-file", "not a WebAssembly component");
    }
    let limits = Limits { component: 100, ..Limits::default() };
    let bytes = Plugin::new().build();
    let runtime = Runtime::new(&code_dir(), limits).unwrap();
    let error = runtime.load("bad", &bytes, limits).err().unwrap();
    assert!(error.to_string().contains("the limit is 100"), "{error}");
}

#[test]
fn a_component_cut_off_anywhere_is_refused() {
    let whole = Plugin::new().build();
    // Without the names at its end, which are only for people, it is whole.
    let names = whole.windows(14).position(|window| window == b"component-name").unwrap();
    let runtime = Runtime::new(&code_dir(), Limits::default()).unwrap();
    for length in (0..names - 8).step_by(13) {
        let error = runtime.load("bad", &whole[..length], Limits::default()).err();
        let error = error.unwrap_or_else(|| panic!("{length} bytes were taken"));
        assert!(error.code().starts_with("plugin-"), "{error}");
    }
}

#[test]
fn a_missing_export_and_one_of_another_type_are_told() {
    let export = |instance: &str| parse(&format!("(component {instance})"));
    fails_by(&export(""), Limits::default(), "plugin-interface", "dscc:plugin/cache-plugin");
    let empty = r#"(instance $i) (export "dscc:plugin/cache-plugin@0.1.0" (instance $i))"#;
    fails_by(&export(empty), Limits::default(), "plugin-interface", "describe");
    let later = empty.replace("@0.1.0", "@0.2.0");
    fails_by(&export(&later), Limits::default(), "plugin-too-new", "upgrade dscc");
    let without = Plugin::new().text().replace(r#"(export "delete-entry" (func $delete-entry)))"#, ")");
    fails_by(&parse(&without), Limits::default(), "plugin-interface", "delete-entry");
    let other = Plugin::new()
        .text()
        .replace(r#"(export "describe" (func $describe))"#, r#"(export "describe" (func $discover))"#);
    fails_by(&parse(&other), Limits::default(), "plugin-interface", "describe");
}

#[test]
fn a_call_of_exit_ends_the_call_and_not_the_program() {
    let plugin = Plugin::new().with_wasi().listing("(call $exit (i32.const 1)) (unreachable)");
    fails_by(&plugin.build(), Limits::default(), "plugin-crash", "exited");
}

#[test]
fn a_flood_of_log_lines_is_bounded_and_costs_nothing_else() {
    for length in [0, 1000] {
        let mut plugin = Plugin::new();
        let text = plugin.bytes_at(&[b'x'; 1000]);
        let plugin = plugin.prepending(&format!(
            "(local $left i32) (local.set $left (i32.const 20000))
            (loop $more
              (call $log (i32.const 1) (i32.const {text}) (i32.const {length}))
              (local.set $left (i32.sub (local.get $left) (i32.const 1)))
              (br_if $more (local.get $left)))"
        ));
        let outcome = ask(&plugin.build(), Limits::default());
        assert_eq!((outcome.problems, outcome.rows), (vec![], vec!["thing".to_owned()]));
        let bytes: usize = outcome.log.iter().map(|line| line.text.len()).sum();
        assert!(!outcome.log.is_empty() && outcome.log.len() <= 2000, "{} lines", outcome.log.len());
        assert!(bytes <= 2 * Limits::default().log, "{bytes} bytes");
    }
}

#[test]
fn handles_that_are_never_dropped_run_out() {
    let walk = "(loop $more
        (call $walk (local.get $root) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0x100))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 0x100))))) (unreachable)";
    let outcome = fails_by(&Plugin::new().listing(walk).build(), Limits::default(), "plugin-crash", "");
    assert!(outcome.took < Duration::from_secs(4), "{:?}", outcome.took);
}

#[test]
fn no_path_leads_out_of_the_root() {
    let paths = [
        "/etc/passwd",
        "../../outside/precious",
        "link/precious",
        "link",
        "thing/../../../outside/precious",
        "thing/file",
    ];
    // bad-path, bad-path, wrong-kind twice, bad-path, and the file that is there.
    fails_by(&Plugin::new().reading(&paths).build(), Limits::default(), "plugin-error", ": 553350");
}

#[test]
fn wasi_is_there_and_gives_nothing() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let mut plugin = Plugin::new().with_wasi();
    let name = plugin.bytes_at(b"localhost");
    let text = plugin.bytes_at(&[b'-'; 9]);
    let answer = plugin.error_at(text, 9);
    let address = |port: u16| {
        let numbers = [0, u32::from(port), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        numbers.map(|number| format!("(i32.const {number})")).join(" ")
    };
    let body = format!(
        "(local $network i32) (local $socket i32)
        (call $get-environment (i32.const 0x100)) (call $tell (i32.const {text}) (i32.load (i32.const 0x104)))
        (call $get-arguments (i32.const 0x100)) (call $tell (i32.const {}) (i32.load (i32.const 0x104)))
        (call $initial-cwd (i32.const 0x100)) (call $tell (i32.const {}) (i32.load8_u (i32.const 0x100)))
        (call $get-directories (i32.const 0x100)) (call $tell (i32.const {}) (i32.load (i32.const 0x104)))
        (call $now (i32.const 0x100)) (call $tell (i32.const {}) (i32.wrap_i64 (i64.load (i32.const 0x100))))
        (call $tell (i32.const {}) (i32.wrap_i64 (call $get-random)))
        (local.set $network (call $instance-network))
        (call $resolve (local.get $network) (i32.const {name}) (i32.const 9) (i32.const 0x100))
        (call $tell (i32.const {}) (call $verdict (i32.const 4)))
        (call $create-socket (i32.const 0) (i32.const 0x100))
        (if (i32.eqz (i32.load8_u (i32.const 0x100))) (then
          (local.set $socket (i32.load (i32.const 0x104)))
          (call $start-bind (local.get $socket) (local.get $network) {} (i32.const 0x100))
          (call $tell (i32.const {}) (call $verdict (i32.const 1)))
          (call $start-connect (local.get $socket) (local.get $network) {} (i32.const 0x100))
          (call $tell (i32.const {}) (call $verdict (i32.const 1)))))
        (call $drop (local.get $root)) (i32.const {answer})",
        text + 1,
        text + 2,
        text + 3,
        text + 4,
        text + 5,
        text + 6,
        address(0),
        text + 7,
        address(port),
        text + 8,
    );
    let outcome = ask(&plugin.listing(&body).build(), Limits::default());
    let message = &outcome.problems[0].message;
    let told = message.rsplit(' ').next().unwrap();
    assert_eq!(&told[..6], "000000", "environment, arguments, working folder, folders, time, chance: {message}");
    assert!(
        told[6..].bytes().all(|verdict| verdict != b'0'),
        "looking up, binding and connecting must fail: {message}"
    );
    assert!(server.accept().is_err());
}
