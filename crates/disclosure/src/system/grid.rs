//! The relations of a table with all its margins: every combination of one node per hierarchy is a cell.

use std::collections::BTreeMap;

use thiserror::Error;

use super::Relation;

/// One hierarchy: nodes, and the groups of nodes that add up to another node.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    nodes: Vec<String>,
    index: BTreeMap<String, usize>,
    groupings: Vec<(usize, Vec<usize>)>,
}

/// What is wrong with a hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidAxis {
    /// A node is part of itself.
    #[error("{0:?} is part of itself")]
    Cycle(String),
    /// A node is named twice in one grouping, or a grouping is empty.
    #[error("a grouping of {0:?} is empty or names a node twice")]
    Grouping(String),
}

impl Axis {
    /// An axis of `parent = Σ children`; one parent may be divided in several ways.
    pub fn new<'a>(groupings: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Result<Self, InvalidAxis> {
        let mut axis = Self::default();
        for (parent, children) in groupings {
            let above = axis.node(parent);
            let below: Vec<usize> = children.iter().map(|child| axis.node(child)).collect();
            let mut sorted = below.clone();
            sorted.sort_unstable();
            sorted.dedup();
            if below.is_empty() || sorted.len() != below.len() {
                return Err(InvalidAxis::Grouping(parent.to_owned()));
            }
            axis.groupings.push((above, below));
        }
        axis.acyclic()?;
        Ok(axis)
    }

    /// Adds a node that nothing divides, and tells its place.
    pub fn node(&mut self, name: &str) -> usize {
        if let Some(&known) = self.index.get(name) {
            return known;
        }
        self.nodes.push(name.to_owned());
        self.index.insert(name.to_owned(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Where a node stands.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Names by place.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Every grouping: a node, and the nodes that add up to it.
    pub fn groupings(&self) -> impl Iterator<Item = (usize, &[usize])> {
        self.groupings.iter().map(|(parent, children)| (*parent, children.as_slice()))
    }

    /// The node that is part of no other, if there is exactly one.
    pub fn total(&self) -> Option<usize> {
        let mut part = vec![false; self.nodes.len()];
        for &child in self.groupings.iter().flat_map(|(_, children)| children) {
            part[child] = true;
        }
        let mut roots = (0..part.len()).filter(|&node| !part[node]);
        roots.next().filter(|_| roots.next().is_none())
    }

    fn acyclic(&self) -> Result<(), InvalidAxis> {
        // Takes away, round by round, the groupings whose parts are all below nothing else.
        let mut left: Vec<&(usize, Vec<usize>)> = self.groupings.iter().collect();
        loop {
            let parents: Vec<usize> = left.iter().map(|(parent, _)| *parent).collect();
            let before = left.len();
            left.retain(|(_, children)| children.iter().any(|child| parents.contains(child)));
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == before {
                return Err(InvalidAxis::Cycle(self.nodes[left[0].0].clone()));
            }
        }
    }
}

/// A product of axes.
#[derive(Clone, Debug)]
pub struct Grid {
    axes: Vec<Axis>,
}

impl Grid {
    /// A table with these axes.
    pub fn new(axes: Vec<Axis>) -> Self {
        Self { axes }
    }

    /// How many cells there are, one per combination of nodes.
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|axis| axis.nodes.len()).product()
    }

    /// The index of a cell, from one node per axis.
    pub fn cell(&self, nodes: &[usize]) -> usize {
        nodes.iter().zip(&self.axes).fold(0, |index, (&node, axis)| index * axis.nodes.len() + node)
    }

    /// The axes, in order.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// `parent − Σ children = 0`, for each grouping of each axis and all combinations of the other axes.
    pub fn relations(&self) -> Vec<Relation> {
        let mut relations = Vec::new();
        let mut stride = self.cells();
        for axis in &self.axes {
            let block = stride;
            stride /= axis.nodes.len();
            for (parent, children) in &axis.groupings {
                for outer in (0..self.cells()).step_by(block) {
                    for inner in outer..outer + stride {
                        let at = |node: usize| inner + node * stride;
                        let below = children.iter().map(|&child| (at(child), -1));
                        relations.push(Relation { terms: std::iter::once((at(*parent), 1)).chain(below).collect() });
                    }
                }
            }
        }
        relations
    }
}
