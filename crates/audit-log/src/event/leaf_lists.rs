//! The lists of a leaf, read item by item.

use std::{fmt, marker::PhantomData};

use super::{EventId, LeafError, cursor::Cursor};

/// The items of a list in a leaf, in their order.
pub struct Items<'a, T> {
    cursor: Cursor<'a>,
    parse: fn(&mut Cursor<'a>) -> Result<T, LeafError>,
    item: PhantomData<T>,
}

impl<'a, T> Items<'a, T> {
    /// Of a list that was read once, so that all of it is as it must be.
    pub(super) const fn of_checked(
        list: &'a str,
        parse: fn(&mut Cursor<'a>) -> Result<T, LeafError>,
    ) -> Self {
        Self {
            cursor: Cursor::new(list),
            parse,
            item: PhantomData,
        }
    }
}

impl<T> Iterator for Items<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.cursor.skip(",");
        (self.parse)(&mut self.cursor).ok()
    }
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        Self {
            cursor: self.cursor.clone(),
            ..*self
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Kind and id of a resource.
pub(super) fn resource<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str), LeafError> {
    cursor.literal("{\"type\":\"")?;
    let kind = cursor.label("a type of resource")?;
    cursor.literal(",\"id\":\"")?;
    let id = cursor.id("the id of a resource")?;
    cursor.literal("}")?;
    Ok((kind, id))
}

pub(super) fn field<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, LeafError> {
    cursor.literal("\"")?;
    cursor.label("the name of a field")
}

pub(super) fn event_id(cursor: &mut Cursor<'_>) -> Result<EventId, LeafError> {
    cursor.literal("\"")?;
    cursor.quoted("the id of an event", EventId::parse)
}
