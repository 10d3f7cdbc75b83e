//! One question to the store that many requests wait for.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use crate::store::{ChargeOutcome, StoreError};

/// A question to the store that is under way. All who wait for it take it forward, so none of them
/// depends on another being polled; when the last of them is dropped, so is the question.
pub(super) struct Flight {
    course: Mutex<Course>,
    waiting: Arc<Waiting>,
}

/// One who waits for a flight.
pub(super) struct Passenger {
    flight: Arc<Flight>,
    /// Where its waker lies.
    place: usize,
}

/// How a flight ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Landed {
    /// The store answered the question so.
    Answered(ChargeOutcome),
    /// It failed. The first passenger takes the error.
    Failed,
    /// Everyone had left.
    Abandoned,
}

type Question = Pin<Box<dyn Future<Output = Result<ChargeOutcome, StoreError>> + Send>>;

struct Course {
    question: Option<Question>,
    landed: Option<Landed>,
    error: Option<StoreError>,
    passengers: usize,
}

#[derive(Default)]
struct Waiting {
    wakers: Mutex<Vec<Option<Waker>>>,
}

impl Flight {
    /// Not begun before a passenger is polled.
    pub(super) fn new(
        question: impl Future<Output = Result<ChargeOutcome, StoreError>> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            course: Mutex::new(Course {
                question: Some(Box::pin(question)),
                landed: None,
                error: None,
                passengers: 0,
            }),
            waiting: Arc::default(),
        })
    }

    pub(super) fn board(self: Arc<Self>) -> Passenger {
        locked(&self.course).passengers += 1;
        let mut wakers = locked(&self.waiting.wakers);
        let place = wakers.len();
        wakers.push(None);
        drop(wakers);
        Passenger {
            flight: self,
            place,
        }
    }

    /// Takes the question forward.
    fn poll(&self) -> Poll<Landed> {
        let mut course = locked(&self.course);
        if let Some(landed) = course.landed {
            return Poll::Ready(landed);
        }
        let Some(question) = &mut course.question else {
            return Poll::Ready(Landed::Abandoned);
        };
        let waker = Waker::from(Arc::clone(&self.waiting));
        let Poll::Ready(answer) = question.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return Poll::Pending;
        };
        let landed = match answer {
            Ok(outcome) => Landed::Answered(outcome),
            Err(error) => {
                course.error = Some(error);
                Landed::Failed
            }
        };
        course.landed = Some(landed);
        course.question = None;
        drop(course);
        self.waiting.wake_all();
        Poll::Ready(landed)
    }
}

impl Passenger {
    /// The error of a flight that failed, for the first who asks.
    pub(super) fn take_error(&self) -> Option<StoreError> {
        locked(&self.flight.course).error.take()
    }

    fn set_waker(&self, waker: Option<Waker>) {
        let mut wakers = locked(&self.flight.waiting.wakers);
        let replaced = wakers
            .get_mut(self.place)
            .and_then(|place| std::mem::replace(place, waker));
        // What a waker does when it is dropped is done without the lock.
        drop(wakers);
        drop(replaced);
    }
}

/// Ends when the flight does.
impl Future for &Passenger {
    type Output = Landed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed> {
        // Before the question is polled, which may be answered meanwhile.
        self.set_waker(Some(cx.waker().clone()));
        self.flight.poll()
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        self.set_waker(None);
        let mut course = locked(&self.flight.course);
        course.passengers -= 1;
        let abandoned = if course.passengers == 0 {
            course.question.take()
        } else {
            None
        };
        // What the question does when it is dropped is done without the lock.
        drop(course);
        drop(abandoned);
    }
}

impl Waiting {
    fn wake_all(&self) {
        let wakers: Vec<_> = locked(&self.wakers)
            .iter_mut()
            .filter_map(Option::take)
            .collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

/// What panics while it holds a lock is the store, and then the question is never polled again: it
/// is answered by nobody, and those who wait see the panic too.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
