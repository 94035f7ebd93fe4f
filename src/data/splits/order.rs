//! The classes in another order than the labels' own.

use super::Splits;
use crate::data::LabelMap;

impl Splits {
    /// Puts the classes in the order of `names`. Says whether these are their names; if not,
    /// nothing changes.
    pub fn follow(&mut self, names: &[String]) -> bool {
        let labels = LabelMap::from_names(names.to_vec());
        let old = self.labels.names();
        let place = |name: &String| names.iter().position(|other| other == name);
        let Some(places) = old.iter().map(place).collect::<Option<Vec<usize>>>() else {
            return false;
        };
        if names.len() != old.len() {
            return false;
        }
        let sets = self.evaluations.iter_mut().map(|set| &mut set.examples);
        let parts = [&mut self.train, &mut self.test];
        for part in parts.into_iter().chain(&mut self.validation).chain(sets) {
            for example in part {
                example.label = places[example.label];
            }
        }
        self.labels = labels;
        true
    }
}
