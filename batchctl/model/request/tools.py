"""Tools that a model may use, and what blocks content."""

from __future__ import annotations

from batchctl.model.request.fields import (
    BOOLEAN,
    JSON_SCHEMA,
    OBJECT,
    SCHEMA,
    TEXT,
    TEXTS,
    Each,
    Integer,
    Message,
    Named,
    Number,
    Of,
    Text,
    both,
    choice,
    deprecated,
    example,
    gemini,
    message,
    required,
    vertex,
)

_CONFIDENCE = choice(
    "PHISH_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_HIGH_AND_ABOVE",
    "BLOCK_HIGHER_AND_ABOVE",
    "BLOCK_VERY_HIGH_AND_ABOVE",
    "BLOCK_ONLY_EXTREMELY_HIGH",
)
_POLICIES = choice(
    "SAFETY_POLICY_UNSPECIFIED",
    "FINANCIAL_TRANSACTIONS",
    "SENSITIVE_DATA_MODIFICATION",
    "COMMUNICATION_TOOL",
    "ACCOUNT_CREATION",
    "DATA_MODIFICATION",
    "USER_CONSENT_MANAGEMENT",
    "LEGAL_TERMS_AND_AGREEMENTS",
)
_CATEGORIES = choice(
    *(
        f"HARM_CATEGORY_{category}"
        for category in (
            "UNSPECIFIED",
            "HARASSMENT",
            "HATE_SPEECH",
            "SEXUALLY_EXPLICIT",
            "DANGEROUS_CONTENT",
            "CIVIC_INTEGRITY",
            "JAILBREAK",
            "IMAGE_HATE",
            "IMAGE_DANGEROUS_CONTENT",
            "IMAGE_HARASSMENT",
            "IMAGE_SEXUALLY_EXPLICIT",
        )
    )
)
_NOT_SEARCHED = "Domains that are not searched."
_FUNCTION_NAME = Text(
    r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$",
    "must start with a letter or `_` and hold only letters, digits, `_`, `.`, `:` and `-`",
)

MESSAGES: tuple[Message, ...] = (
    message(
        "Tool",
        "A tool that the model may use; give one of the members.",
        example("googleSearch", Of("GoogleSearch"), "Ground the answer on Google Search.", {}),
        example("codeExecution", OBJECT, "Let the model write and run code.", {}),
        both("functionDeclarations", Each(Of("FunctionDeclaration"), least=1), "Functions that the model may call."),
        both("urlContext", OBJECT, "Let the model read pages whose URL is in the prompt."),
        both("googleMaps", Of("GoogleMaps"), "Ground the answer on Google Maps."),
        both("computerUse", Of("ComputerUse"), "Let the model operate a computer."),
        gemini("fileSearch", Of("FileSearch"), "Search file search stores."),
        gemini("mcpServers", Each(Of("McpServer")), "Servers of the Model Context Protocol."),
        vertex("retrieval", Of("Retrieval"), "Ground the answer on data of your own."),
        vertex("enterpriseWebSearch", Of("EnterpriseWebSearch"), "Ground the answer on a web search for enterprises."),
        vertex("parallelAiSearch", Of("ParallelSearch"), "Ground the answer on a search by Parallel."),
        vertex("exaAiSearch", Of("ExaSearch"), "Ground the answer on a search by Exa."),
        deprecated("googleSearchRetrieval", Of("GoogleSearchRetrieval"), "googleSearch"),
        exactly_one=True,
    ),
    message(
        "GoogleSearch",
        "Ground the answer on Google Search.",
        both("searchTypes", Of("SearchTypes"), "What is searched: the web, images."),
        gemini("timeRangeFilter", Of("Interval"), "Only what was published in this time."),
        vertex("excludeDomains", TEXTS, _NOT_SEARCHED),
        vertex("blockingConfidence", _CONFIDENCE, "From which likelihood of phishing on a page is left out."),
    ),
    message(
        "SearchTypes",
        "What is searched.",
        both("webSearch", OBJECT, "The web."),
        both("imageSearch", OBJECT, "Images."),
    ),
    message(
        "Interval",
        "A span of time.",
        both("startTime", TEXT, "When it begins, in RFC 3339."),
        both("endTime", TEXT, "When it ends, in RFC 3339."),
    ),
    message(
        "GoogleSearchRetrieval",
        "The older form of googleSearch.",
        both("dynamicRetrievalConfig", Of("DynamicRetrievalConfig"), "When to search."),
    ),
    message(
        "DynamicRetrievalConfig",
        "When to search.",
        both("mode", choice("MODE_UNSPECIFIED", "MODE_DYNAMIC"), "Always, or where it helps."),
        both("dynamicThreshold", Number(), "How much it has to help."),
    ),
    message(
        "FunctionDeclaration",
        "A function that the model may call.",
        required("name", _FUNCTION_NAME, "The function's name."),
        both("description", TEXT, "What it does, for the model."),
        both("behavior", choice("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"), "Whether the model waits for the answer."),
        both("parameters", SCHEMA, "Its parameters, in the API's subset of OpenAPI."),
        both("parametersJsonSchema", JSON_SCHEMA, "Its parameters, as a JSON Schema."),
        both("response", SCHEMA, "What it gives, in the API's subset of OpenAPI."),
        both("responseJsonSchema", JSON_SCHEMA, "What it gives, as a JSON Schema."),
    ),
    message(
        "GoogleMaps",
        "Ground the answer on Google Maps.",
        deprecated("enableWidget", BOOLEAN, "groundingTypes"),
        gemini("authConfig", OBJECT, "Credentials for the tool."),
        vertex("groundingTypes", Of("GroundingTypes"), "What of Google Maps is used."),
    ),
    message(
        "GroundingTypes",
        "What of Google Maps is used.",
        both("places", OBJECT, "Places."),
        both("routing", OBJECT, "Routes."),
    ),
    message(
        "ComputerUse",
        "Let the model operate a computer.",
        required(
            "environment",
            choice("ENVIRONMENT_UNSPECIFIED", "ENVIRONMENT_BROWSER", "ENVIRONMENT_MOBILE", "ENVIRONMENT_DESKTOP"),
            "What it operates.",
        ),
        both("excludedPredefinedFunctions", TEXTS, "Functions that it may not use."),
        both("enablePromptInjectionDetection", BOOLEAN, "Look for instructions hidden in what it sees."),
        both("disabledSafetyPolicies", Each(_POLICIES), "Policies that do not hold."),
    ),
    message(
        "FileSearch",
        "Search file search stores.",
        both("fileSearchStoreNames", TEXTS, "The stores."),
        both("topK", Integer(1), "How many pieces are found."),
        both("metadataFilter", TEXT, "A filter over the metadata of documents."),
    ),
    message(
        "McpServer",
        "A server of the Model Context Protocol.",
        both("name", TEXT, "The server's name."),
        both("streamableHttpTransport", Of("McpTransport"), "How it is reached."),
    ),
    message(
        "McpTransport",
        "How a server is reached.",
        both("url", TEXT, "Its URL."),
        both("headers", Named(TEXT), "Headers that are sent to it."),
        both("timeout", TEXT, "The longest wait for a reply."),
        both("sseReadTimeout", TEXT, "The longest wait for an event."),
        both("terminateOnClose", BOOLEAN, "Whether the session ends with the connection."),
    ),
    message(
        "EnterpriseWebSearch",
        "Ground the answer on a web search for enterprises.",
        both("excludeDomains", TEXTS, _NOT_SEARCHED),
        both("blockingConfidence", _CONFIDENCE, "From which likelihood of phishing on a page is left out."),
    ),
    message(
        "ExaSearch",
        "Ground the answer on a search by Exa.",
        required("apiKey", TEXT, "The key for Exa."),
        both("customConfigs", OBJECT, "Settings as Exa has them."),
    ),
    message(
        "ParallelSearch",
        "Ground the answer on a search by Parallel.",
        both("apiKey", TEXT, "The key for the partner."),
        both("customConfigs", OBJECT, "Settings as the partner has them."),
        deprecated("enableDataRetention", BOOLEAN, "enableZeroDataRetention"),
        both("enableZeroDataRetention", BOOLEAN, "Keep nothing at the partner."),
    ),
    message(
        "ToolConfig",
        "How tools are used.",
        both("functionCallingConfig", Of("FunctionCallingConfig"), "How functions are called."),
        both("retrievalConfig", Of("RetrievalConfig"), "Where the user is, for grounding."),
        gemini("includeServerSideToolInvocations", BOOLEAN, "Give the calls of server-side tools in the answer."),
    ),
    message(
        "FunctionCallingConfig",
        "How functions are called.",
        both(
            "mode",
            choice("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
            "Whether functions may or must be called.",
        ),
        both("allowedFunctionNames", TEXTS, "With mode ANY: only these."),
        vertex("streamFunctionCallArguments", BOOLEAN, "Give arguments piece by piece."),
    ),
    message(
        "RetrievalConfig",
        "Where the user is, for grounding.",
        both("latLng", Of("LatLng"), "A place."),
        both("languageCode", TEXT, "A BCP 47 language tag."),
    ),
    message(
        "LatLng",
        "A place.",
        required("latitude", Number(-90, 90), "Degrees north."),
        required("longitude", Number(-180, 180), "Degrees east."),
    ),
    message(
        "SafetySetting",
        "How strictly one category of harm is blocked.",
        required("category", _CATEGORIES, "The category of harm."),
        required(
            "threshold",
            choice(
                "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
                "BLOCK_LOW_AND_ABOVE",
                "BLOCK_MEDIUM_AND_ABOVE",
                "BLOCK_ONLY_HIGH",
                "BLOCK_NONE",
                "OFF",
            ),
            "From which likelihood on content is blocked.",
        ),
        vertex(
            "method",
            choice("HARM_BLOCK_METHOD_UNSPECIFIED", "SEVERITY", "PROBABILITY"),
            "Whether probability or severity counts.",
        ),
        examples=[{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_MEDIUM_AND_ABOVE"}],
    ),
    message(
        "ModelArmorConfig",
        "Templates of Model Armor that screen prompts and answers.",
        both("promptTemplateName", TEXT, "The template for prompts."),
        both("responseTemplateName", TEXT, "The template for answers."),
    ),
)
