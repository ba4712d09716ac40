"""Every finding's code and what it stands for; docs/errors.md is generated from this table.

MR1xx registry, MR2xx documents, MR3xx suites, prompts and datasets, MR4xx models and scoring,
MR5xx results and comparison, MR6xx use and surroundings, MR7xx release. A code's meaning never changes.
"""

from __future__ import annotations

from enum import Enum


class Code(str, Enum):
    """A stable name for one kind of finding."""

    NO_RECORD = "MR101"
    RECORD_AUTHOR = "MR102"
    RECORD_REASON = "MR103"
    RECORD_DATE = "MR104"
    DOES_NOT_ADD_UP = "MR105"
    LOG_HISTORY = "MR106"
    LOG_LINE = "MR107"
    NOT_A_FILE = "MR108"
    LOG_NAME = "MR109"
    RECORD_FORM = "MR110"
    HISTORY = "MR111"
    SCHEMA_DRIFT = "MR112"
    EMPTY_TARGET = "MR113"
    LINE_ENDS = "MR114"
    LEAKAGE = "MR115"
    NOT_STAMPED = "MR116"
    SYNTAX = "MR201"
    ENCODING = "MR202"
    DUPLICATE_KEY = "MR203"
    NUMBER = "MR204"
    YAML_FEATURE = "MR205"
    UNKNOWN_KEY = "MR206"
    MISSING_FIELD = "MR207"
    INVALID_VALUE = "MR208"
    UNREADABLE = "MR209"
    TEMPLATE_FIELD = "MR301"
    TEMPLATE_SYNTAX = "MR302"
    DUPLICATE_ID = "MR303"
    INVALID_ID = "MR304"
    EMPTY_DATASET = "MR305"
    CHOICES = "MR306"
    TARGET = "MR307"
    METRIC = "MR308"
    PROMPT = "MR309"
    INCLUDE = "MR310"
    NOT_YET = "MR311"
    PATTERN = "MR312"
    ROW_FIELD = "MR313"
    CHECKPOINT = "MR401"
    TOKENIZER = "MR402"
    LFS_POINTER = "MR403"
    UNSAFE_WEIGHTS = "MR404"
    MALFORMED_WEIGHTS = "MR405"
    REMOTE_CODE = "MR406"
    TOO_LONG = "MR407"
    CHAT_TEMPLATE = "MR408"
    ENGINE = "MR409"
    EXISTING_RECORD = "MR410"
    VERSION_NAME = "MR411"
    OTHER_WEIGHTS = "MR412"
    NOT_FINITE = "MR415"
    UNPUBLISHABLE = "MR416"
    TRAINING_STATE = "MR417"
    CHANGED_MEANWHILE = "MR418"
    NOT_CONVERTED = "MR419"
    CARD_KEY = "MR430"
    CARD_PLACEHOLDER = "MR431"
    CARD_MARKERS = "MR432"
    CARD_STALE = "MR433"
    CARD_METADATA = "MR434"
    MODEL_RECORD = "MR420"
    CHECKPOINT_FILES = "MR421"
    NO_WEIGHTS = "MR422"
    ADDRESS = "MR423"
    SAME_AS = "MR424"
    PARENT = "MR425"
    OTHER_CHECKPOINT = "MR426"
    FETCHED = "MR427"
    SAMPLES_DIGEST = "MR501"
    SAMPLES_COUNT = "MR502"
    SCORE = "MR503"
    NO_GATE_METRIC = "MR504"
    POLICY = "MR505"
    SAMPLES_METRIC = "MR506"
    RECORD_PLACE = "MR507"
    RESOLUTION = "MR508"
    RECORDED_COMMIT = "MR511"
    RECORDED_SETTING = "MR512"
    ENVIRONMENT = "MR514"
    USAGE = "MR601"
    MISSING_EXTRA = "MR602"
    UNAVAILABLE = "MR603"
    INTERNAL = "MR699"
    TARGET_ADDRESS = "MR701"
    NOT_PUBLISHED = "MR702"
    PUBLISHED_DIFFERS = "MR703"
    RACED = "MR704"
    RELEASE_FILE = "MR705"
    RELEASE_NAME = "MR706"
    TARGET_STATE = "MR707"
    RELEASE_TAG = "MR708"
    BLOCKED = "MR709"
    NOT_RELEASED = "MR710"
    RELEASE_BUSY = "MR711"
    OVERTAKEN = "MR712"
    OVERRIDE = "MR713"
    NOT_REPRODUCED = "MR714"
    TARGET_LOST = "MR715"
    GITHUB_RELEASE = "MR741"
    GIT_TAG = "MR742"
    NOT_APPROVED = "MR743"
    RELEASE_ASSET = "MR744"
    LEDGER_CHAIN = "MR720"
    LEDGER_ANCHOR = "MR721"
    LEDGER_EVENT = "MR722"
    LEDGER_STATE = "MR723"
    LEDGER_RACED = "MR724"
    NO_RECEIPT = "MR725"
    LEDGER_UNPUSHED = "MR726"


MEANING: dict[Code, str] = {
    Code.NO_RECORD: "a governed file has no change record, or changed without a new one",
    Code.RECORD_AUTHOR: "a change record's author is missing, or is not who commits",
    Code.RECORD_REASON: "a change record's reason is missing, says nothing, or is the one before",
    Code.RECORD_DATE: "a change record's date is missing, is no day, lies ahead, or before the one it replaces",
    Code.DOES_NOT_ADD_UP: "the lines of a change log do not add up to what changed in the file",
    Code.LOG_HISTORY: "a line of a change log that is on the default branch was edited or removed",
    Code.LOG_LINE: "a line of a change log is malformed",
    Code.NOT_A_FILE: "a link or a submodule stands where a governed file should be",
    Code.LOG_NAME: "a change log's name would be longer than file systems take",
    Code.RECORD_FORM: "a change record stands twice, or is no mapping",
    Code.HISTORY: "this clone does not hold the history that the question needs",
    Code.SCHEMA_DRIFT: "a field changes its type from row to row",
    Code.EMPTY_TARGET: "a row's expected answer is empty",
    Code.LINE_ENDS: "a file mixes line ends",
    Code.LEAKAGE: "a test row also stands in a training set",
    Code.NOT_STAMPED: "a file cannot be stamped as it stands",
    Code.SYNTAX: "the file is not valid YAML, JSON or CSV",
    Code.ENCODING: "the file is not UTF-8, or holds a NUL byte",
    Code.DUPLICATE_KEY: "a key stands twice in one mapping",
    Code.NUMBER: "NaN, Infinity, or a number too large to be one",
    Code.YAML_FEATURE: "several documents, a merge key, a tag, a key that is no text, or aliases without bound",
    Code.UNKNOWN_KEY: "a key that this document does not have",
    Code.MISSING_FIELD: "a required key is missing",
    Code.INVALID_VALUE: "a value has the wrong type or is out of its range",
    Code.UNREADABLE: "a file is missing, is no regular file, or cannot be read",
    Code.TEMPLATE_FIELD: "a prompt names a field that no row has",
    Code.TEMPLATE_SYNTAX: "a prompt holds `{{` that opens no field",
    Code.DUPLICATE_ID: "two rows of a dataset have the same id",
    Code.INVALID_ID: "a row has no id, or one that is neither text nor a whole number",
    Code.EMPTY_DATASET: "a dataset has no rows",
    Code.CHOICES: "a row's choices are no list of two or more texts",
    Code.TARGET: "a row's target is missing, out of range, or can never be matched",
    Code.METRIC: "a metric that does not exist, does not fit the task, or stands twice",
    Code.PROMPT: "a prompt file holds no prompt",
    Code.INCLUDE: "a suite includes itself, or a task name stands twice",
    Code.NOT_YET: "something this version does not do",
    Code.PATTERN: "a regular expression does not compile, or takes too long",
    Code.ROW_FIELD: "a field that one row lacks, or that is null there",
    Code.CHECKPOINT: "a folder is no checkpoint",
    Code.TOKENIZER: "a checkpoint has no usable tokenizer",
    Code.LFS_POINTER: "a Git LFS pointer stands where the file itself should be",
    Code.UNSAFE_WEIGHTS: "weights in a form that could run code when read",
    Code.MALFORMED_WEIGHTS: "a weights file is damaged",
    Code.REMOTE_CODE: "a checkpoint asks for code of its own",
    Code.TOO_LONG: "a prompt is longer than the model's context",
    Code.CHAT_TEMPLATE: "a chat template is missing, fails, or runs away",
    Code.ENGINE: "the engine could not do its work",
    Code.EXISTING_RECORD: "a record that must not be overwritten is in the way",
    Code.VERSION_NAME: "a version's name is none, or names no version that is there",
    Code.OTHER_WEIGHTS: "weights are not those that a version's records are of",
    Code.NOT_FINITE: "a tensor holds NaN or infinity",
    Code.UNPUBLISHABLE: "a file of a kind that no version publishes",
    Code.TRAINING_STATE: "what training needs to go on stands in a checkpoint",
    Code.CHANGED_MEANWHILE: "a checkpoint changed between its digest and its use",
    Code.NOT_CONVERTED: "pickled weights from which no safetensors can be made",
    Code.CARD_KEY: "a model card's metadata lacks a key that it needs",
    Code.CARD_PLACEHOLDER: "a model card holds text that stands for text yet to be written",
    Code.CARD_MARKERS: "the markers around a model card's generated part do not stand once each, in order",
    Code.CARD_STALE: "a model card or a changelog is not what the records give",
    Code.CARD_METADATA: "a model card's metadata is not what the Hub takes, or holds what no record says",
    Code.MODEL_RECORD: "a version has no model.json, or one that is another version's",
    Code.CHECKPOINT_FILES: "a version's files are not those that its model.json lists",
    Code.NO_WEIGHTS: "a version has neither weights nor their address",
    Code.ADDRESS: "an address of weights that cannot be used: one that can move, holds a password, or wraps another",
    Code.SAME_AS: "`same_as` names no version that has this checkpoint",
    Code.PARENT: "a version's parent is none that is here or was released",
    Code.OTHER_CHECKPOINT: "eval.json is of another checkpoint than model.json",
    Code.FETCHED: "weights that were fetched are not those that were recorded",
    Code.SAMPLES_DIGEST: "samples.jsonl is not the file that eval.json describes",
    Code.SAMPLES_COUNT: "samples.jsonl has another number of lines than eval.json says",
    Code.SCORE: "a score is no finite number in its metric's range",
    Code.NO_GATE_METRIC: "no metric decides",
    Code.POLICY: "the gate's policy contradicts itself",
    Code.SAMPLES_METRIC: "a metric's recorded value is not what its samples give",
    Code.RECORD_PLACE: "a record lies in the folder of a version that it is not of",
    Code.RESOLUTION: "what is to be compared with what cannot be told",
    Code.RECORDED_COMMIT: "the commit that an evaluation was recorded at is not in this clone",
    Code.RECORDED_SETTING: "a setting in eval.json that no run can be made with",
    Code.ENVIRONMENT: "the recorded libraries could not be installed",
    Code.USAGE: "the command was called in a way it does not take",
    Code.MISSING_EXTRA: "an optional part of the package is not installed",
    Code.UNAVAILABLE: "something outside did not answer, or did not let us in",
    Code.INTERNAL: "a defect of modelrelease itself",
    Code.TARGET_ADDRESS: "a release target's address is neither file:// nor hf://, or leads astray",
    Code.NOT_PUBLISHED: "a version is not published at the target",
    Code.PUBLISHED_DIFFERS: "what is published is not what was released, or its name was moved",
    Code.RACED: "somebody else has moved the target meanwhile",
    Code.RELEASE_FILE: "a file that cannot be published, or changed while it was",
    Code.RELEASE_NAME: "a name that no version or stage can have",
    Code.TARGET_STATE: "something stands at the target that no release has put there",
    Code.RELEASE_TAG: "a version's tag is not at the commit that is released, here or on origin, or it is not merged",
    Code.BLOCKED: "the gate does not let a version be released",
    Code.NOT_RELEASED: "a version was never released, or was revoked",
    Code.RELEASE_BUSY: "another promotion is under way",
    Code.OVERTAKEN: "what is live, or the policy, has changed since the decision",
    Code.OVERRIDE: "an override that cannot be made",
    Code.NOT_REPRODUCED: "a committed evaluation is not what scoring gives",
    Code.TARGET_LOST: "a release would go to a folder that ends with the job, and the ledger would still name it",
    Code.GITHUB_RELEASE: "the GitHub release of a tag is not modelrelease's, or is not what was released",
    Code.GIT_TAG: "a git tag is not on GitHub, or not at the commit that was released",
    Code.NOT_APPROVED: "a release lacks the approval that its policy asks for",
    Code.RELEASE_ASSET: "a file that a GitHub release cannot have, or that changed before it was there",
    Code.LEDGER_CHAIN: "the ledger's history is not one added event after the other",
    Code.LEDGER_ANCHOR: "the ledger lacks a head that a release names",
    Code.LEDGER_EVENT: "an event of the ledger is malformed",
    Code.LEDGER_STATE: "an event of the ledger contradicts those before it",
    Code.LEDGER_RACED: "somebody else has written to the ledger meanwhile",
    Code.NO_RECEIPT: "a version is published and has no receipt in the ledger, as a run that died leaves it",
    Code.LEDGER_UNPUSHED: "the ledger is in this clone, and its remote lacks it",
}

SAYS_NO = frozenset(
    {
        Code.UNSAFE_WEIGHTS, Code.REMOTE_CODE, Code.NOT_FINITE, Code.UNPUBLISHABLE, Code.TRAINING_STATE,
        Code.CHANGED_MEANWHILE,
    }
)  # fmt: skip
"""Codes of MR4xx that refuse what is well-formed: exit 1, where the others are malformed input and exit 2."""
