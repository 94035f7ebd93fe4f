//! What forecasts of runs' memory need of data and models, read once for all runs that share it.

use std::any::Any;
use std::collections::HashMap;

/// What was read for earlier forecasts.
#[derive(Default)]
pub struct Forecast(HashMap<String, Box<dyn Any>>);

impl Forecast {
    /// What stands under a key, made if nothing of this type does.
    pub(super) fn known<T: Any, E>(
        &mut self,
        key: String,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        let known = self
            .0
            .remove(&key)
            .and_then(|known| known.downcast::<T>().ok());
        let known = match known {
            Some(known) => known,
            None => Box::new(make()?),
        };
        let place = self.0.entry(key).insert_entry(known).into_mut();
        Ok(place.downcast_ref().expect("put there just now"))
    }
}
