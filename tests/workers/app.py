"""The policies example, unchanged, with the number of the worker process that answered in a header."""

import os
import sys
from pathlib import Path

from flask import Response

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings-python" / "examples"))
from policies import app


@app.after_request
def name_the_worker(response: Response) -> Response:
    response.headers["X-Worker"] = str(os.getpid())
    return response
