//! Which other figures must be hidden so that each primary stays uncertain by its width.
use std::cmp::Reverse;

use crate::eliminate::Dictionary;
use crate::space::Space;
use crate::system::{Standing, System};
use crate::witness::{Pool, Target};

pub fn experiment(system: &System, kmax: usize, tick: &dyn Fn() -> f64) -> String {
    let settled = system.settled();
    let n = system.cells().len();
    let targets: Vec<bool> = system.cells().iter().map(|c| c.standing == Standing::Primary).collect();
    let mut order: Vec<usize> = (0..n).filter(|&c| !settled[c] && !targets[c]).collect();
    order.sort_by_key(|&c| (Reverse(system.cells()[c].weight), c));
    let base = Dictionary::new(system, &settled);
    if std::env::var("MODE").as_deref() == Ok("E") {
        let mut e = base.clone();
        let mut kept = vec![false; n];
        for &c in &order { if e.gives_away(c, &targets) { kept[c] = true } else { e.show(c) } }
        order.sort_by_key(|&c| (kept[c], Reverse(system.cells()[c].weight), c));
    }
    let mut out = String::new();
    if let Ok(m) = std::env::var("CROWD") {
        let values: Vec<i64> = system.cells().iter().map(|c| c.value).collect();
        for least in m.split(',').map(|m| m.parse::<i64>().unwrap()) {
            let t0 = tick();
            let mut e = base.clone();
            let mut kept = vec![];
            for &c in &order { if e.gives_away(c, &targets) || e.crowds(c, &targets, &values, least) { kept.push(c) } else { e.show(c) } }
            let hv: i64 = kept.iter().map(|&c| values[c]).sum::<i64>() + (0..n).filter(|&c| targets[c]).map(|c| values[c]).sum::<i64>();
            let t1 = tick();
            let mut space = Space::new(system, &e);
            let t = (0..n).filter(|&c| targets[c]).map(|c| Target { cell: space.local(c).unwrap(), width: 5 }).collect();
            let mut pool = Pool::new(system, t);
            let bad = pool.narrow(system, &mut space);
            out += &format!("  start crowd {least}: hidden {} value {hv} size {:?} elimination {:.2} audit {:.2} narrow {} tables {} {:?}\n", kept.len(), e.size(), t1 - t0, tick() - t1, bad.len(), pool.tables(), pool.effort);
        }
        return out;
    }
    let mut kmax = kmax;
    let (mut d, mut hidden, mut i, mut space, mut pool);
    loop {
        d = base.clone(); hidden = vec![]; i = 0;
        while i < order.len() && d.size().0 > kmax { let c = order[i]; if d.gives_away(c, &targets) { hidden.push(c) } else { d.show(c) } i += 1; }
        space = Space::new(system, &d);
        let t = (0..n).filter(|&c| targets[c]).map(|c| Target { cell: space.local(c).unwrap(), width: 5 }).collect();
        pool = Pool::new(system, t);
        let bad = pool.narrow(system, &mut space);
        out += &format!("  start {:.2} k {kmax} cells {} hidden {} narrow {} tables {} work {} {:?}\n", tick(), space.cells().len(), hidden.len(), bad.len(), pool.tables(), space.work(), pool.effort);
        if bad.is_empty() { break; }
        kmax = kmax * 3 / 2;
    }
    let (mut byelim, mut bywidth, mut implied, mut okay, mut timeout) = (0, 0, 0, 0, 0);
    for &c in &order[i..] {
        if d.computable(c) { implied += 1; d.show(c); continue; }
        if d.gives_away(c, &targets) { hidden.push(c); byelim += 1; continue; }
        if (okay + bywidth) % 100 == 0 { eprintln!("  start progress {:.1} weight {} shown {okay} elim {byelim} width {bywidth} k {} tables {} work {} {:?}", tick(), system.cells()[c].weight, space.dimension(), pool.tables(), space.work(), pool.effort); }
        if tick() > 90.0 { timeout += 1; hidden.push(c); continue; }
        let Some(l) = space.local(c) else { d.show(c); continue };
        if pool.without(system, &mut space, l) { space.show(l); d.show(c); okay += 1; } else { bywidth += 1; hidden.push(c); }
    }
    let hv: i64 = hidden.iter().map(|&c| system.cells()[c].value).sum::<i64>() + (0..n).filter(|&c| targets[c]).map(|c| system.cells()[c].value).sum::<i64>();
    out += &format!("  hidden {} value {hv} k {} shown {okay} elim {byelim} width {bywidth} implied {implied} timeout {timeout} tables {} work {} {:?} time {:.2}", hidden.len(), space.dimension(), pool.tables(), space.work(), pool.effort, tick());
    out
}
