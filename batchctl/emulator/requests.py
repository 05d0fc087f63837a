"""The requests in the rows of both services, message by message. Data only.

Each line of a table is a message with its members as `name:type`; `*` after a type means a list, `any` is data of the
caller. The Developer API and Vertex AI share most of it. Members that google-genai sends to Vertex AI
are accepted there although its discovery document lacks them. Source: reference 1.3, 7, 16.
"""

from __future__ import annotations

from batchctl.emulator.proto import (
    Anything,
    Boolean,
    Bytes,
    Choice,
    Integer,
    Kind,
    Message,
    Number,
    OpenEnum,
    Repeated,
    Text,
)

TASK_TYPES = (
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
"""In the order of their numbers."""

_BOTH = """\
GenerateContentRequest model:text contents:Content* systemInstruction:Content generationConfig:GenerationConfig
GenerateContentRequest safetySettings:SafetySetting* tools:Tool* toolConfig:ToolConfig labels:any
GenerateContentRequest continuationToken:bytes cachedContent:text serviceTier:text
Content parts:Part* role:text
Part text:text inlineData:Blob fileData:FileData functionCall:FunctionCall functionResponse:FunctionResponse
Part executableCode:ExecutableCode codeExecutionResult:CodeExecutionResult thought:bool thoughtSignature:bytes
Part videoMetadata:VideoMetadata mediaResolution:PartMediaResolution mediaProcessing:enum
Part audioTranscription:AudioTranscription speechMetadata:SpeechMetadata
Part audioMetadata:any documentMetadata:any spreadsheetMetadata:any
Blob data:bytes mimeType:text displayName:text
FileData fileUri:text mimeType:text displayName:text
FunctionCall id:text name:text args:any
FunctionResponse id:text name:text response:any parts:FunctionResponsePart* scheduling:enum
FunctionResponsePart inlineData:Blob fileData:FileData mediaResolution:PartMediaResolution
FunctionResponsePart videoMetadata:VideoMetadata audioMetadata:any
FunctionResponsePart documentMetadata:any spreadsheetMetadata:any
ExecutableCode id:text language:enum code:text
CodeExecutionResult id:text outcome:enum output:text
VideoMetadata startOffset:text endOffset:text fps:number contentLayers:enum*
PartMediaResolution level:enum numTokens:int
AudioTranscription text:text speakerLabel:text words:Word* finished:bool languageCode:text
AudioTranscription startOffset:text endOffset:text
Word word:text startOffset:text endOffset:text
SpeechMetadata speaker:text style:text
GenerationConfig temperature:number topP:number topK:number candidateCount:int maxOutputTokens:int stopSequences:text*
GenerationConfig responseLogprobs:bool logprobs:int presencePenalty:number frequencyPenalty:number seed:int
GenerationConfig responseMimeType:text responseSchema:any responseJsonSchema:any responseFormat:ResponseFormat*
GenerationConfig responseModalities:enum* mediaResolution:enum speechConfig:SpeechConfig
GenerationConfig thinkingConfig:ThinkingConfig imageConfig:ImageConfig enableAffectiveDialog:bool
GenerationConfig translationConfig:TranslationConfig audioTranscriptionConfig:AudioTranscriptionConfig
ThinkingConfig includeThoughts:bool thinkingBudget:int thinkingLevel:enum
ImageConfig aspectRatio:text imageSize:text
SpeechConfig languageCode:text voiceConfig:VoiceConfig multiSpeakerVoiceConfig:MultiSpeakerVoiceConfig
MultiSpeakerVoiceConfig speakerVoiceConfigs:SpeakerVoiceConfig*
SpeakerVoiceConfig speaker:text voiceConfig:VoiceConfig
VoiceConfig prebuiltVoiceConfig:PrebuiltVoiceConfig replicatedVoiceConfig:ReplicatedVoiceConfig voice:text
PrebuiltVoiceConfig voiceName:text
ReplicatedVoiceConfig mimeType:text voiceSampleAudio:bytes
TranslationConfig targetLanguageCode:text echoTargetLanguage:bool
AudioTranscriptionConfig languageCodes:text* customVocabulary:text* adaptationPhrases:text* diarization:bool
AudioTranscriptionConfig wordTimestamp:bool mode:enum sourceText:text languageAuto:any languageHints:LanguageHints
LanguageHints languageCodes:text*
ResponseFormat text:TextFormat audio:AudioFormat image:ImageFormat video:VideoFormat
TextFormat mimeType:enum schema:any
AudioFormat mimeType:enum delivery:enum bitRate:int sampleRate:int
ImageFormat mimeType:enum delivery:enum aspectRatio:enum imageSize:enum
VideoFormat delivery:enum aspectRatio:enum duration:text gcsUri:text resolution:text
SafetySetting category:enum threshold:enum
ToolConfig functionCallingConfig:FunctionCallingConfig retrievalConfig:RetrievalConfig
FunctionCallingConfig mode:enum allowedFunctionNames:text*
RetrievalConfig latLng:LatLng languageCode:text
LatLng latitude:number longitude:number
Tool functionDeclarations:FunctionDeclaration* googleSearch:GoogleSearch codeExecution:any urlContext:any
Tool googleMaps:GoogleMaps computerUse:ComputerUse googleSearchRetrieval:GoogleSearchRetrieval
FunctionDeclaration name:text description:text behavior:enum parameters:any parametersJsonSchema:any
FunctionDeclaration response:any responseJsonSchema:any
GoogleSearch searchTypes:any
GoogleMaps enableWidget:bool authConfig:any
ComputerUse environment:enum excludedPredefinedFunctions:text* enablePromptInjectionDetection:bool
ComputerUse disabledSafetyPolicies:enum*
GoogleSearchRetrieval dynamicRetrievalConfig:DynamicRetrievalConfig
DynamicRetrievalConfig mode:enum dynamicThreshold:number
"""
_DEVELOPER = """\
GenerateContentRequest store:bool
Part partMetadata:any toolCall:any toolResponse:any
FunctionResponse willContinue:bool
FunctionResponsePart mediaProcessing:enum
ReplicatedVoiceConfig consentAudio:bytes voiceConsentSignature:any
GenerationConfig enableEnhancedCivicAnswers:bool
ToolConfig includeServerSideToolInvocations:bool
Tool fileSearch:FileSearch mcpServers:McpServer*
FileSearch fileSearchStoreNames:text* topK:int metadataFilter:text
McpServer name:text streamableHttpTransport:any
GoogleSearch timeRangeFilter:any
"""
_VERTEX = """\
GenerateContentRequest modelArmorConfig:ModelArmorConfig outputConfig:OutputConfig
ModelArmorConfig promptTemplateName:text responseTemplateName:text
OutputConfig outputUriPrefix:text
FunctionCall partialArgs:any* willContinue:bool
GenerationConfig audioTimestamp:bool routingConfig:any modelConfig:ModelConfig
ModelConfig featureSelectionPreference:enum
ImageConfig personGeneration:enum prominentPeople:enum imageOutputOptions:ImageOutputOptions
ImageOutputOptions mimeType:text compressionQuality:int
SafetySetting method:enum
FunctionCallingConfig streamFunctionCallArguments:bool
Tool retrieval:any enterpriseWebSearch:EnterpriseWebSearch parallelAiSearch:any exaAiSearch:any
EnterpriseWebSearch excludeDomains:text* blockingConfidence:enum
GoogleSearch excludeDomains:text* blockingConfidence:enum
GoogleMaps groundingTypes:any
"""
_SCALARS: dict[str, Kind] = {
    "any": Anything(),
    "bool": Boolean(),
    "bytes": Bytes(),
    "enum": OpenEnum(),
    "int": Integer(),
    "number": Number(),
    "text": Text(),
}
_LONE = frozenset({"parts", "contents"})
"""Lists for which both APIs accept a single object, as in Google's samples."""


def _members(*tables: str) -> dict[str, dict[str, str]]:
    """The types of the members of each message, by the message's name."""
    found: dict[str, dict[str, str]] = {}
    for table in tables:
        for line in table.splitlines():
            name, *members = line.split()
            for member in members:
                field, _, kind = member.partition(":")
                found.setdefault(name, {})[field] = kind
    return found


def _message(name: str, members: dict[str, dict[str, str]], lone: frozenset[str]) -> Message:
    return Message({member: _kind(member, kind, members, lone) for member, kind in members[name].items()})


def _kind(member: str, kind: str, members: dict[str, dict[str, str]], lone: frozenset[str]) -> Kind:
    if kind.endswith("*"):
        return Repeated(_kind("", kind.removesuffix("*"), members, lone), lone=member in lone)
    return _SCALARS[kind] if kind in _SCALARS else _message(kind, members, lone)


def _embed(content: Message) -> Message:
    """Both forms of the settings; the three members next to `content` are deprecated. Source: reference 16."""
    settings: dict[str, Kind] = {
        "taskType": Choice(TASK_TYPES),
        "title": Text(),
        "outputDimensionality": Integer(),
    }
    config = Message({
        **settings,
        **dict.fromkeys(("autoTruncate", "documentOcr", "audioTrackExtraction"), Boolean()),
        "mimeType": Text(),
    })  # fmt: skip
    return Message({"model": Text(), "content": content, **settings, "embedContentConfig": config})


def _requests(extra: str, lone: frozenset[str]) -> dict[str, Message]:
    members = _members(_BOTH, extra)
    content = _message("Content", members, lone)
    return {"generate": _message("GenerateContentRequest", members, lone), "embed": _embed(content)}


DEVELOPER_REQUESTS = _requests(_DEVELOPER, _LONE)
"""The messages of a row's request at the Developer API, by kind of job."""
VERTEX_REQUESTS = _requests(_VERTEX, _LONE)
"""The messages of a row's request on Vertex AI, by kind of job."""
