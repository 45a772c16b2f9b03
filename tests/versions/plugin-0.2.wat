;; A plugin of the made-up interface 0.2: as that of 0.1, with what is different in it.
(module
  (import "dscc:plugin/log@0.2.0" "log" (func $log (param $text i32) (param $length i32)))
  (import "dscc:plugin/files@0.2.0" "[method]directory.names" (func $names (param $root i32) (param $result i32)))
  (import "dscc:plugin/files@0.2.0" "[method]directory.given" (func $given (param $root i32) (param $result i32)))
  (import "dscc:plugin/files@0.2.0" "[method]directory.read" (func $read
    (param $root i32) (param $file i32) (param $file-length i32) (param $limit i32) (param $result i32)))
  (import "dscc:plugin/files@0.2.0" "[resource-drop]directory" (func $drop-directory (param i32)))

  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 0x2000))
  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $size))))

  ;; Texts.
  (data (i32.const 0x100) "fixture")
  (data (i32.const 0x110) "2.0.0")
  (data (i32.const 0x120) "Interface 0.2")
  (data (i32.const 0x130) "~/fixture")
  (data (i32.const 0x140) "index")
  (data (i32.const 0x150) "note")

  ;; The manifest: name, version, title, one rule.
  (data (i32.const 0x200) (i32 0x100 7  0x110 5  0x120 13  0x240 1))
  (data (i32.const 0x240) (i32 0x100 7  0x260 1  0x270 1))  ;; id, locations, indexes
  (data (i32.const 0x260) (i32 0x130 9))
  (data (i32.const 0x270) (i32 0x140 5))
  (func (export "dscc:plugin/cache-plugin@0.2.0#describe") (result i32)
    (call $log (i32.const 0x150) (i32.const 4))
    (i32.const 0x200))

  ;; Caches, as many as are asked for: id, title (the root as given), path, a remark.
  (data (i32.const 0x300) (i32 0 0x310 0))
  (data (i32.const 0x310) (i32 0x100 7  0 0  0 0  1 0x150 4))
  (func (export "dscc:plugin/cache-plugin@0.2.0#discover")
    (param $root i32) (param $rule i32) (param $rule-length i32) (param $most i32) (result i32)
    (call $given (local.get $root) (i32.const 0x318))
    (i32.store (i32.const 0x308) (i32.ne (local.get $most) (i32.const 0)))
    (call $drop-directory (local.get $root))
    (i32.const 0x300))

  ;; One entry: id, label (the root's first name), owns, the state that 0.1 lacks, one tag.
  (data (i32.const 0x400) (i32 0 0x420 0))
  (data (i32.const 0x420) (i32 0x100 7  0 0  0x270 1) (i8 5 0 0 0) (i32 0x460 1))
  (data (i32.const 0x460) (i32 0x150 4))
  (func (export "dscc:plugin/cache-plugin@0.2.0#entries")
    (param $root i32) (param $cache i32) (param $cache-length i32)
    (param $has-parent i32) (param $parent i32) (param $parent-length i32) (param $detail i32) (result i32)
    (call $names (local.get $root) (i32.const 0x4c0))
    (i64.store (i32.const 0x428) (i64.load (i32.load (i32.const 0x4c0))))
    (i32.store (i32.const 0x408) (i32.eqz (local.get $has-parent)))
    (call $drop-directory (local.get $root))
    (i32.const 0x400))

  ;; One edit: the whole content of the index is the line that goes.
  (data (i32.const 0x500) (i32 0 0x510 1))
  (data (i32.const 0x510) (i32 0x140 5  0x540 1))
  (data (i32.const 0x540) (i32 0 0))
  (func (export "dscc:plugin/cache-plugin@0.2.0#delete-entry")
    (param $root i32) (param $cache i32) (param $cache-length i32) (param $ids i32) (param $ids-length i32) (result i32)
    (call $read (local.get $root) (i32.const 0x140) (i32.const 5) (i32.const 100) (i32.const 0x580))
    (i64.store (i32.const 0x540) (i64.load offset=4 (i32.const 0x580)))
    (call $drop-directory (local.get $root))
    (i32.const 0x500)))
