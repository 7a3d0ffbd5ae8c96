//! Locks, which belong to open files.

/// What tells one open file from another, however many descriptors it has.
pub(super) type Description = usize;

#[derive(Clone, Debug, Default)]
pub(super) struct Lock {
    exclusive: Option<Description>,
    shared: Vec<Description>,
}

impl Lock {
    /// False: somebody else holds it.
    pub(super) fn take(&mut self, by: Description, is_shared: bool) -> bool {
        let is_others = |holder: &Description| *holder != by;
        if self.exclusive.iter().any(is_others) || (!is_shared && self.shared.iter().any(is_others))
        {
            return false;
        }
        self.release(by);
        if is_shared {
            self.shared.push(by);
        } else {
            self.exclusive = Some(by);
        }
        true
    }

    pub(super) fn release(&mut self, by: Description) {
        self.exclusive = self.exclusive.filter(|holder| *holder != by);
        self.shared.retain(|holder| *holder != by);
    }
}
