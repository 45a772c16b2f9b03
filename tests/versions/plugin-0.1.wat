;; A plugin of interface 0.1, the core of a component: it uses everything that it may import, and answers with what it got.
;; Records lie in its memory as the canonical ABI of components wants them.
(module
  (import "dscc:plugin/log@0.1.0" "log" (func $log (param $level i32) (param $text i32) (param $length i32)))
  (import "dscc:plugin/files@0.1.0" "[method]directory.names" (func $names (param $root i32) (param $result i32)))
  (import "dscc:plugin/files@0.1.0" "[method]directory.walk" (func $walk
    (param $root i32) (param $at i32) (param $at-length i32) (param $depth i32) (param $kinds i32)
    (param $names i32) (param $names-length i32) (param $stat i32) (param $result i32)))
  (import "dscc:plugin/files@0.1.0" "[method]walker.next" (func $next
    (param $walker i32) (param $max i32) (param $result i32)))
  (import "dscc:plugin/files@0.1.0" "[method]directory.read" (func $read
    (param $root i32) (param $files i32) (param $files-length i32) (param $limit i32) (param $result i32)))
  (import "dscc:plugin/files@0.1.0" "[resource-drop]directory" (func $drop-directory (param i32)))
  (import "dscc:plugin/files@0.1.0" "[resource-drop]walker" (func $drop-walker (param i32)))

  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 0x2000))
  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $size))))

  ;; Texts.
  (data (i32.const 0x100) "fixture")
  (data (i32.const 0x110) "1.0.0")
  (data (i32.const 0x120) "Interface 0.1")
  (data (i32.const 0x130) "~/fixture")
  (data (i32.const 0x140) "index")
  (data (i32.const 0x150) "note")

  ;; The manifest: name, version, title, summary, no homepage, no license, one rule, no extra.
  (data (i32.const 0x200)
    (i32 0x100 7  0x110 5  0x120 13  0x120 0  0 0 0  0 0 0  0x250 1  0 0))
  (data (i32.const 0x250) (i32 0x100 7  0x280 1  0 0  0x290 1))  ;; id, locations, marks, indexes
  (data (i32.const 0x280) (i32 0x130 9  7))  ;; path, expansion: all three flags
  (data (i32.const 0x290) (i32 0x140 5))
  (func (export "dscc:plugin/cache-plugin@0.1.0#describe") (result i32)
    (call $log (i32.const 1) (i32.const 0x150) (i32.const 4))
    (i32.const 0x200))

  ;; One cache, whose title is the root's first name: id, title, path.
  (data (i32.const 0x300) (i32 0 0x310 1))
  (data (i32.const 0x310) (i32 0x100 7  0 0  0 0))
  (func (export "dscc:plugin/cache-plugin@0.1.0#discover")
    (param $root i32) (param $rule i32) (param $rule-length i32) (result i32)
    (call $names (local.get $root) (i32.const 0x380))
    (i64.store (i32.const 0x318) (i64.load (i32.load (i32.const 0x380))))
    (call $drop-directory (local.get $root))
    (i32.const 0x300))

  ;; One entry, which owns the first directory that a walk finds and is called by it.
  (data (i32.const 0x400) (i32 0 0x420 1 0 0))
  (data (i32.const 0x420)
    (i32 0x100 7  0x150 4  0 0)    ;; id, kind, label
    (i32 0 1  0 0  0 0  0 0)       ;; owns (the walk's first node, which begins with its path), shares, needs, locks
    (i8 3 2 0 0)                   ;; stale, uncertain
    (i32 0 0 0) (i8 1 0 0 0)       ;; no reclaim; has children, does not keep its parent
    (i32 0 0 0  0 0 0  0 0))       ;; no times, no attributes
  (func (export "dscc:plugin/cache-plugin@0.1.0#list-entries")
    (param $root i32) (param $cache i32) (param $cache-length i32)
    (param $has-parent i32) (param $parent i32) (param $parent-length i32) (param $detail i32) (result i32)
    (local $walker i32)
    (call $walk (local.get $root) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x4c0))
    (local.set $walker (i32.load (i32.const 0x4c4)))
    (call $next (local.get $walker) (i32.const 1) (i32.const 0x4d0))
    (i64.store (i32.const 0x430) (i64.load (i32.load (i32.const 0x4d0))))
    (i32.store (i32.const 0x438) (i32.load (i32.const 0x4d0)))
    (call $drop-walker (local.get $walker))
    (call $drop-directory (local.get $root))
    (i32.store (i32.const 0x408) (i32.eqz (local.get $has-parent)))
    (i32.const 0x400))

  ;; One edit, after the files went: the whole content of the index is the line that goes.
  (data (i32.const 0x500) (i32 0 0x510 1))
  (data (i32.const 0x510) (i32 0x140 5) (i8 1 0 0 0) (i32 0  0x540 1))  ;; file, moment, lines
  (data (i32.const 0x540) (i32 0 0))
  (func (export "dscc:plugin/cache-plugin@0.1.0#delete-entry")
    (param $root i32) (param $cache i32) (param $cache-length i32) (param $ids i32) (param $ids-length i32) (result i32)
    (call $read (local.get $root) (i32.const 0x290) (i32.const 1) (i32.const 100) (i32.const 0x580))
    (i64.store (i32.const 0x540) (i64.load offset=4 (i32.load (i32.const 0x580))))
    (call $drop-directory (local.get $root))
    (i32.const 0x500)))
