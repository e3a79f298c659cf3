"""Which functions are risky, by their dotted names.

A name counts with all that is below it, unless a longer name says otherwise; those under None are harmless.
``METHODS`` are risky whatever they are called on, because nothing else has a method of that name.
"""

from __future__ import annotations

from datarus_jupyter.agent.risk.finding import Kind

_BY_KIND: dict[Kind | None, str] = {
    "deletes": """
        os.remove os.unlink os.rmdir os.removedirs os.rename os.renames os.replace os.truncate
        shutil.rmtree shutil.move pathlib.Path().rename pathlib.Path().replace send2trash
    """,
    "process": """
        subprocess os.system os.popen os.fork os.forkpty os.kill os.killpg os.startfile os.posix_spawn os.posix_spawnp
        os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnle os.spawnlp
        os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe pty pexpect plumbum fabric invoke.run popen2 commands
        asyncio.create_subprocess_exec asyncio.create_subprocess_shell ctypes cffi
        get_ipython().system get_ipython().getoutput get_ipython().getoutput_original get_ipython().system_raw
        IPython.utils.process
    """,
    "network": """
        requests urllib urllib2 urllib3 httpx httplib2 http.client http.server aiohttp pycurl socket socketserver ssl
        ftplib smtplib imaplib poplib telnetlib nntplib xmlrpc paramiko websocket websockets zmq wget gdown webbrowser
        boto3 botocore s3fs gcsfs fsspec.open google.cloud azure huggingface_hub kaggle kagglehub openai anthropic
        psycopg psycopg2 pymysql MySQLdb mysql pymongo.MongoClient redis snowflake cx_Oracle oracledb pyodbc
        yfinance pandas_datareader wbdata wikipedia tweepy praw selenium playwright bs4.dammit datasets.load_dataset
        asyncio.open_connection asyncio.start_server asyncio.open_unix_connection nltk.download spacy.cli.download
        seaborn.load_dataset vega_datasets tensorflow_datasets.load tensorflow.keras.utils.get_file
        keras.utils.get_file torch.hub sklearn.datasets.fetch_openml sklearn.datasets.fetch_california_housing
        sklearn.datasets.fetch_20newsgroups sklearn.datasets.fetch_lfw_people sklearn.datasets.fetch_covtype
        sklearn.datasets.fetch_olivetti_faces sklearn.datasets.fetch_kddcup99 sklearn.datasets.fetch_rcv1
        fetch_openml fetch_california_housing fetch_20newsgroups
    """,
    "install": "pip ensurepip micropip.install piplite.install conda.cli",
    "secrets": """
        os.environ os.environb os.getenv os.getenvb getpass.getpass keyring dotenv netrc secretstorage decouple
        google.colab.userdata kaggle_secrets hvac
    """,
    "outside": "pathlib.Path.home pathlib.Path().expanduser os.path.expanduser os.pardir os.chroot os.symlink os.link",
    "kernel": "exit quit os._exit os.abort get_ipython().kernel.do_shutdown get_ipython().ask_exit",
    "variables": """
        globals().clear globals().pop globals().update globals().popitem globals().__setitem__ globals().__delitem__
        locals().clear get_ipython().reset get_ipython().reset_selective get_ipython().user_ns
        get_ipython().del_var get_ipython().push get_ipython().drop_by_id sys.modules.clear __main__.__dict__
    """,
    "dynamic": """
        exec eval execfile compile __import__ importlib runpy code.interact codeop marshal.loads marshal.load
        pickle.load pickle.loads pickle.Unpickler cPickle dill.load dill.loads cloudpickle.load cloudpickle.loads
        shelve.open joblib.load torch.load pandas.read_pickle yaml.load yaml.unsafe_load yaml.full_load
        jsonpickle.decode get_ipython().run_cell get_ipython().run_code get_ipython().ex get_ipython().ev
        get_ipython().safe_execfile get_ipython().run_line_magic get_ipython().run_cell_magic get_ipython().magic
        types.FunctionType types.CodeType IPython.display.Javascript Javascript
    """,
    None: """
        urllib.parse urllib.error requests.exceptions requests.utils httpx.URL os.environ.update socket.gethostname
        socket.error socket.timeout subprocess.PIPE subprocess.DEVNULL subprocess.STDOUT subprocess.CalledProcessError
        subprocess.TimeoutExpired importlib.metadata importlib.reload importlib.resources importlib.util.find_spec
        datasets.load_dataset_builder ctypes.sizeof pip.__version__
    """,
}
_NAMES: dict[str, Kind | None] = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}

METHODS: dict[str, Kind] = {
    "unlink": "deletes",
    "rmdir": "deletes",
    "rmtree": "deletes",
    "expanduser": "outside",
    "drop_all": "database",
    "drop_collection": "database",
    "drop_database": "database",
    "delete_many": "database",
    "delete_one": "database",
    "do_shutdown": "kernel",
    "__subclasses__": "dynamic",
    "__globals__": "dynamic",
    "__code__": "dynamic",
    "create_subprocess_shell": "process",
}

# These are called by one word. All others without a dot are modules, and risky only by what is in them.
_WORDS = {"exit", "quit", "exec", "eval", "execfile", "compile", "__import__", "Javascript"} | {
    name for name in _NAMES if name.startswith("fetch_")
}
# What a module only names: its errors and types open and run nothing.
_TYPES = ("Error", "Exception", "Warning", "Timeout", "Response")


def kind_of(origin: str) -> tuple[Kind, str] | None:
    """The kind of risk of what has this origin, and its name in words; None: harmless.

    What a risky function returned is not risky again, unless the table names it.
    """
    parts = origin.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in _NAMES:
            kind = _NAMES[name]
            rest = parts[length:]
            module_alone = not rest and "." not in name and name not in _WORDS
            if kind is None or module_alone or "()" in ".".join(rest) or origin.endswith(_TYPES):
                return None
            return kind, ".".join([name, *rest[:1]]).replace("()", "").replace("[]", "")
    return None


def holds_risks(origin: str) -> bool:
    """Whether something risky is below this name, as in ``os``."""
    return origin == "__builtins__" or any(name.startswith(f"{origin}.") for name in _NAMES)
