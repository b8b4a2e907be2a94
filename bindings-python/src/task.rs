//! Tasks: a state and what it turns into, over saved bytes.

use mcpgraft::json::Str;
use mcpgraft::server::{self, NewTask, Outcome};
use mcpgraft::{LocalError, Revision};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::ask::{self, OwnedAsk, Reason};
use crate::call;
use crate::error::{json, local, text};

/// One state of a task; what changes it gives another one.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Task {
    saved: Vec<u8>,
}

impl Task {
    /// A task that begins.
    pub(crate) fn begin(new: &NewTask<'_>) -> PyResult<Self> {
        let mut saved = Vec::new();
        new.save(&mut saved).map_err(local)?;
        Ok(Task { saved })
    }

    /// Runs `with` on the task as the core sees it.
    pub(crate) fn view<R>(&self, with: impl FnOnce(server::Task<'_>) -> R) -> PyResult<R> {
        // What is here was written by the core or looked at by `restore`.
        let task = server::Task::restore(&self.saved);
        task.map(with).ok_or_else(|| PyRuntimeError::new_err("this is no saved task"))
    }

    fn bytes<'py>(
        &self,
        py: Python<'py>,
        write: impl FnOnce(server::Task<'_>, &mut Vec<u8>) -> Result<(), LocalError>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::new();
        self.view(|task| write(task, &mut out))?.map_err(local)?;
        Ok(PyBytes::new(py, &out))
    }

    fn next(
        &self,
        write: impl FnOnce(server::Task<'_>, &mut Vec<u8>) -> Result<(), LocalError>,
    ) -> PyResult<Task> {
        let mut saved = Vec::new();
        self.view(|task| write(task, &mut saved))?.map_err(local)?;
        Ok(Task { saved })
    }
}

/// A kept question, as `OwnedAsk` reads it.
type Question<'py> = (&'static str, String, Bound<'py, PyBytes>);
/// How a task ended.
type Ended<'py> = (Option<Bound<'py, PyBytes>>, Option<(i32, String, Option<Bound<'py, PyBytes>>)>);

/// The result of `tasks/list`.
#[pyfunction]
#[pyo3(signature = (tasks, next=None))]
pub(crate) fn task_page<'py>(
    py: Python<'py>,
    tasks: Vec<PyRef<'py, Task>>,
    next: Option<&str>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    let all = tasks.iter().filter_map(|task| server::Task::restore(&task.saved));
    server::task_page(all, next, &mut out).map_err(local)?;
    Ok(PyBytes::new(py, &out))
}

fn owned(text: Str<'_>) -> String {
    text.to_cow().into_owned()
}

#[pymethods]
impl Task {
    /// The task of those bytes; None if they are none.
    #[staticmethod]
    fn restore(saved: Vec<u8>) -> Option<Task> {
        server::Task::restore(&saved)?;
        Some(Task { saved })
    }

    fn save<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.saved)
    }

    #[getter]
    fn id(&self) -> PyResult<String> {
        self.view(|task| owned(task.id()))
    }

    #[getter]
    fn status(&self) -> PyResult<&'static str> {
        self.view(|task| task.status().name())
    }

    #[getter]
    fn over(&self) -> PyResult<bool> {
        self.view(|task| task.status().is_over())
    }

    #[getter]
    fn message(&self) -> PyResult<Option<String>> {
        self.view(|task| task.message().map(owned))
    }

    #[getter]
    fn expires(&self) -> PyResult<Option<u64>> {
        self.view(|task| task.expires())
    }

    #[getter]
    fn answers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.view(|task| PyBytes::new(py, task.answers().bytes()))
    }

    #[getter]
    fn open(&self) -> PyResult<Vec<String>> {
        self.view(|task| task.open().map(|(key, _)| owned(key)).collect())
    }

    /// The open questions, to be asked on `tasks/result`.
    fn questions<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Question<'py>)>> {
        self.view(|task| {
            let id = owned(task.id());
            task.open()
                .map(|(key, request)| (owned(key), ("task", id.clone(), PyBytes::new(py, request.bytes()))))
                .collect()
        })
    }

    /// It was made by the experimental tasks of 2025-11-25.
    #[getter]
    fn experimental(&self) -> PyResult<bool> {
        self.view(|task| task.is_experimental())
    }

    #[getter]
    fn progress_wanted(&self) -> PyResult<bool> {
        self.view(|task| task.progress_token().is_some())
    }

    /// Whether a client of that revision can know it.
    fn is_of(&self, revision: &str) -> PyResult<bool> {
        self.view(|task| Revision::parse(revision).is_some_and(|revision| task.is_of(revision)))
    }

    #[pyo3(signature = (principal))]
    fn belongs_to(&self, principal: Option<&str>) -> PyResult<bool> {
        self.view(|task| task.belongs_to(principal))
    }

    fn created<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |task, out| task.created(out))
    }

    fn detailed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |task, out| task.detailed(out))
    }

    fn acknowledged<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |task, out| task.acknowledged(out))
    }

    /// `(result, None)` or `(None, (code, message, data))`; None if it is not over.
    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Option<Ended<'py>>> {
        let mut out = Vec::new();
        self.view(|task| {
            Ok(match task.outcome(&mut out).map_err(local)? {
                Outcome::Open => None,
                Outcome::Result => Some((Some(PyBytes::new(py, &out)), None)),
                Outcome::Error { code, message, data } => {
                    let data = data.map(|data| PyBytes::new(py, data.bytes()));
                    Some((None, Some((code, owned(message), data))))
                }
            })
        })?
    }

    fn can_ask(&self, py: Python<'_>, ask: &Bound<'_, PyTuple>) -> PyResult<Reason> {
        let ask = OwnedAsk::read(ask)?;
        Ok(ask::reason(py, self.view(|task| task.can_ask(&ask.borrow()))?))
    }

    #[pyo3(signature = (message, *, now))]
    fn say(&self, message: &str, now: u64) -> PyResult<Task> {
        self.next(|task, out| task.say(message, now, out))
    }

    #[pyo3(signature = (asks, *, now))]
    fn require_input(&self, asks: Vec<(String, Bound<'_, PyTuple>)>, now: u64) -> PyResult<Task> {
        let asks = ask::read_all(asks)?;
        self.next(|task, out| task.require_input(&ask::borrow_all(&asks), now, out))
    }

    /// The next state; None if no answer was to an open question.
    #[pyo3(signature = (responses, *, now))]
    fn update(&self, responses: &[u8], now: u64) -> PyResult<Option<Task>> {
        let (responses, mut saved) = (json("responses", responses)?, Vec::new());
        let done = self.view(|task| task.update(responses, now, &mut saved))?.map_err(local)?;
        Ok((done.taken > 0).then_some(Task { saved }))
    }

    #[pyo3(signature = (result, *, now))]
    fn complete(&self, result: &[u8], now: u64) -> PyResult<Task> {
        let result = text("result", result)?;
        self.next(|task, out| task.complete(result, now, out))
    }

    #[pyo3(signature = (failure, message, *, now, code=None, data=None))]
    fn fail(
        &self,
        failure: &str,
        message: &str,
        now: u64,
        code: Option<i32>,
        data: Option<&[u8]>,
    ) -> PyResult<Task> {
        let data = data.map(|data| json("data", data)).transpose()?;
        let failure = call::failure(failure, message, code, data)?;
        self.next(|task, out| task.fail(&failure, now, out))
    }

    #[pyo3(signature = (*, now))]
    fn cancel(&self, now: u64) -> PyResult<Task> {
        self.next(|task, out| task.cancel(now, out))
    }

    fn __repr__(&self) -> PyResult<String> {
        self.view(|task| format!("<Task {}>", task.status().name()))
    }
}
