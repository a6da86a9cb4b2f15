"""What goes into the zip: our own files by their kind, and of each package what the functions use. Pure data.

A requirement that is in neither table fails a test: a new dependency is a decision, and no surprise in
production. Whoever adds a line says what for.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

OURS = "chalicelib"
ENTRY = "app.py"
SUFFIXES = frozenset({".py", ".lua", ".sql", ".css", ".html", ".js"})
"""The kinds of file that chalicelib has; another kind stops the build instead of being left behind."""


@dataclass(frozen=True)
class Package:
    """Which files of a wheel go in. Patterns are fnmatch's, on paths in the wheel: a * crosses slashes."""

    keep: tuple[str, ...]
    leave: tuple[str, ...] = ()

    def takes(self, path: str) -> bool:
        """Whether the file is one of them. Its licence and its name, version and needs always are."""
        if ".dist-info/" in path:
            name = path.split(".dist-info/", 1)[1]
            return name == "METADATA" or name.startswith("licenses/")
        return _any(path, self.keep) and not _any(path, self.leave)


PACKAGES: dict[str, Package] = {
    # The application's frame. Its command line, its packager and its local server stay at home.
    "chalice": Package(keep=("chalice/__init__.py", "chalice/app.py")),
    # Reading and writing of JSON.
    "msgspec": Package(keep=("msgspec/*.py", "msgspec/*.so")),
    # The ledger, and PostgreSQL's client library with what that is linked to.
    # Left: its substitutes for psycopg-binary, and CockroachDB.
    "psycopg": Package(
        keep=("psycopg/*.py",),
        leave=("psycopg/pq/*pq_ctypes.py", "psycopg/_py_transformer.py", "psycopg/crdb/*"),
    ),
    "psycopg-binary": Package(keep=("psycopg_binary/*.py", "psycopg_binary/*.so", "psycopg_binary.libs/*")),
    # psycopg needs it on every Python that we run on; it is one file.
    "typing-extensions": Package(keep=("typing_extensions.py",)),
    # The gate. Left: the commands of server modules, imported only when one is used. The asyncio half stays:
    # the other half imports it.
    "valkey": Package(
        keep=("valkey/*.py",),
        leave=tuple(
            f"valkey/commands/{module}/*" for module in ("bf", "graph", "json", "search", "timeseries")
        ),
    ),
    # Tokens: PyJWT has the rules, cryptography the arithmetic, and cffi's one module carries OpenSSL to it.
    "pyjwt": Package(keep=("jwt/*.py",)),
    # Left: formats and ciphers that no token has. PyJWT imports the rest.
    "cryptography": Package(
        keep=("cryptography/*.py", "cryptography/*.so"),
        leave=(
            *("cryptography/fernet.py", "cryptography/hazmat/asn1/*", "cryptography/hazmat/primitives/kdf/*"),
            *("cryptography/hazmat/primitives/twofactor/*",),
            *("cryptography/hazmat/primitives/serialization/pkcs*",),
        ),
    ),
    "cffi": Package(keep=("_cffi_backend.*.so",)),
    # /docs: Swagger UI's two files, which are found by way of the package and without importing it.
    "aws-lambda-powertools": Package(
        keep=(
            "aws_lambda_powertools/__init__.py",
            "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
            "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui.min.css",
        )
    ),
    # /console: the file of Apache ECharts, found in the same way.
    "instaui-echarts": Package(
        keep=("instaui_echarts/__init__.py", "instaui_echarts/static/echarts.esm.min.js")
    ),
}
"""By the name in requirements.txt and requirements-console.txt."""

LEFT_OUT: dict[str, str] = {
    "ansicon": "Windows",
    "async-timeout": "Python before 3.11.3, and only asyncio's client",
    "blessed": "chalice's command line",
    "botocore": "chalice's command line; the functions sign their own calls, and the runtime has a copy",
    "click": "chalice's command line",
    "editor": "chalice's command line",
    "inquirer": "chalice's command line",
    "jinxed": "chalice's command line",
    "jmespath": "chalice's command line, and a part of powertools that nothing imports",
    "packaging": "chalice's packager",
    "pip": "chalice's packager",
    "pycparser": "cffi's compiler; what is compiled needs only its module",
    "python-dateutil": "botocore",
    "pyyaml": "chalice's packager",
    "readchar": "chalice's command line",
    "runs": "chalice's command line",
    "setuptools": "chalice's packager",
    "six": "chalice's command line",
    "tzdata": "Windows",
    "urllib3": "botocore",
    "wcwidth": "chalice's command line",
    "wheel": "chalice's packager",
    "xmod": "chalice's command line",
}
"""What is pinned and does not go in, each with who would need it."""


def _any(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
