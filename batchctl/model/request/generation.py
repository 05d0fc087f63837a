"""The generation of answers: `generationConfig` and its members."""

from __future__ import annotations

from batchctl.model.request.content import MEDIA_RESOLUTIONS
from batchctl.model.request.fields import (
    BASE64,
    BOOLEAN,
    DURATION,
    JSON_SCHEMA,
    OBJECT,
    SCHEMA,
    TEXT,
    TEXTS,
    Each,
    Integer,
    Message,
    Number,
    Of,
    Text,
    both,
    choice,
    deprecated,
    example,
    gemini,
    message,
    needed_on_vertex,
    required,
    vertex,
)

_DELIVERY = choice("DELIVERY_UNSPECIFIED", "INLINE", "URI")
_RATIOS = tuple(
    f"ASPECT_RATIO_{ratio}"
    for ratio in (
        "UNSPECIFIED",
        "ONE_BY_ONE",
        "TWO_BY_THREE",
        "THREE_BY_TWO",
        "THREE_BY_FOUR",
        "FOUR_BY_THREE",
        "FOUR_BY_FIVE",
        "FIVE_BY_FOUR",
        "NINE_BY_SIXTEEN",
        "SIXTEEN_BY_NINE",
        "TWENTY_ONE_BY_NINE",
        "ONE_BY_EIGHT",
        "EIGHT_BY_ONE",
        "ONE_BY_FOUR",
        "FOUR_BY_ONE",
    )
)
_SIZES = tuple(f"IMAGE_SIZE_{size}" for size in ("UNSPECIFIED", "FIVE_TWELVE", "ONE_K", "TWO_K", "FOUR_K"))
_AUDIO_TYPES = tuple(f"AUDIO_{kind}" for kind in ("MP3", "OGG_OPUS", "L16", "WAV", "ALAW", "MULAW"))
_HOW_DELIVERED = "Whether the data comes in the answer or as a URI."

_SAMPLING = (
    example("temperature", Number(0, 2), "Randomness of the answer; 0 gives the likeliest words.", 0.2),
    example("topP", Number(0, 1), "Only the likeliest words up to this total probability are considered.", 0.95),
    example("topK", Number(1), "Only this many of the likeliest words are considered.", 40),
    example("candidateCount", Integer(1, 8), "How many answers to give.", 1),
    example("maxOutputTokens", Integer(1), "The longest answer, thoughts included, in tokens.", 512),
    example("stopSequences", TEXTS, "The answer ends before any of these texts.", ["END"]),
    both("responseLogprobs", BOOLEAN, "Give the log probabilities of the words too."),
    both("logprobs", Integer(0, 20), "How many alternatives to give log probabilities for."),
    both("presencePenalty", Number(-2, 2), "Above 0: words that were used already become less likely."),
    both("frequencyPenalty", Number(-2, 2), "Above 0: words become less likely each time they are used."),
    example("seed", Integer(-(2**31), 2**31 - 1), "Makes answers more repeatable.", 7),
)
_SHAPE = (
    example(
        "responseMimeType",
        Text(r"^[a-z]+/[a-z0-9.+-]+$", "must be a media type such as application/json"),
        "The answer's media type.",
        "application/json",
        "text/plain",
        "text/x.enum",
    ),
    example(
        "responseSchema",
        SCHEMA,
        "The shape of a JSON answer, in the API's own subset of OpenAPI. Taken as one value: it replaces a default's.",
        {"type": "OBJECT", "properties": {"topic": {"type": "STRING"}}},
    ),
    example(
        "responseJsonSchema",
        JSON_SCHEMA,
        "The shape of a JSON answer, as a JSON Schema. Taken as one value: it replaces a default's.",
        {"type": "object"},
    ),
    both("responseFormat", Each(Of("ResponseFormat"), one_is_enough=True), "The forms of the answer, by modality."),
    example(
        "responseModalities",
        Each(choice("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")),
        "What the answer may consist of.",
        ["TEXT"],
    ),
)

MESSAGES: tuple[Message, ...] = (
    message(
        "GenerationConfig",
        "How answers are generated: put under the generationConfig of every row.",
        *_SAMPLING,
        *_SHAPE,
        both("mediaResolution", choice(*MEDIA_RESOLUTIONS), "How finely images and videos are read."),
        both("speechConfig", Of("SpeechConfig"), "How speech sounds."),
        both("thinkingConfig", Of("ThinkingConfig"), "How much the model thinks before it answers."),
        both("imageConfig", Of("ImageConfig"), "How images are made."),
        both("enableAffectiveDialog", BOOLEAN, "Answer in the tone of the user."),
        both("translationConfig", Of("TranslationConfig"), "How speech is translated."),
        both("audioTranscriptionConfig", Of("AudioTranscriptionConfig"), "How audio is transcribed."),
        gemini("enableEnhancedCivicAnswers", BOOLEAN, "Enhanced answers on civic questions, on models that have them."),
        vertex("audioTimestamp", BOOLEAN, "Understand timestamps in audio."),
        vertex("routingConfig", Of("RoutingConfig"), "Which model answers."),
        vertex("modelConfig", Of("ModelConfig"), "Whether quality or cost decides on the model (v1beta1 only)."),
        examples=[{"temperature": 0.2, "maxOutputTokens": 512}],
    ),
    message(
        "ThinkingConfig",
        "How much the model thinks before it answers.",
        both("includeThoughts", BOOLEAN, "Give the thoughts too."),
        example(
            "thinkingBudget",
            Integer(-1),
            "The most tokens to think with; 0 turns thinking off where the model can, -1 lets it choose.",
            0,
        ),
        both(
            "thinkingLevel",
            choice("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
            "How deeply to think, on models with levels.",
        ),
    ),
    message(
        "ImageConfig",
        "How images are made.",
        example(
            "aspectRatio", Text(r"^[0-9]{1,3}:[0-9]{1,3}$", "must be a ratio such as 16:9"), "Width to height.", "16:9"
        ),
        example(
            "imageSize",
            Text(r"^[0-9]{1,5}(K|px)?$", "must be a size such as 1K or 2K"),
            "Size of the longer side.",
            "1K",
        ),
        vertex(
            "personGeneration",
            choice("PERSON_GENERATION_UNSPECIFIED", "ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE"),
            "Whether people may be shown.",
        ),
        vertex(
            "prominentPeople",
            choice("PROMINENT_PEOPLE_UNSPECIFIED", "ALLOW_PROMINENT_PEOPLE", "BLOCK_PROMINENT_PEOPLE"),
            "Whether well-known people may be shown.",
        ),
        vertex("imageOutputOptions", Of("ImageOutputOptions"), "The form of the image file."),
    ),
    message(
        "ImageOutputOptions",
        "The form of an image file.",
        example("mimeType", TEXT, "The image's media type.", "image/jpeg"),
        both("compressionQuality", Integer(0, 100), "How little a JPEG is compressed."),
    ),
    message(
        "SpeechConfig",
        "How speech sounds.",
        example("languageCode", TEXT, "A BCP 47 language tag.", "fr-FR"),
        both("voiceConfig", Of("VoiceConfig"), "The one voice."),
        both("multiSpeakerVoiceConfig", Of("MultiSpeakerVoiceConfig"), "Several speakers."),
    ),
    message(
        "MultiSpeakerVoiceConfig",
        "Several speakers.",
        required("speakerVoiceConfigs", Each(Of("SpeakerVoiceConfig"), least=1), "One entry a speaker."),
    ),
    message(
        "SpeakerVoiceConfig",
        "One speaker.",
        required("speaker", TEXT, "The speaker's name in the prompt."),
        required("voiceConfig", Of("VoiceConfig"), "The speaker's voice."),
    ),
    message(
        "VoiceConfig",
        "A voice.",
        both("prebuiltVoiceConfig", Of("PrebuiltVoiceConfig"), "A voice that the model brings along."),
        both("replicatedVoiceConfig", Of("ReplicatedVoiceConfig"), "A voice made from a sample."),
        both("voice", TEXT, "A voice by its name."),
    ),
    message(
        "PrebuiltVoiceConfig",
        "A voice that the model brings along.",
        required("voiceName", Text(non_empty=True), "The voice's name."),
    ),
    message(
        "ReplicatedVoiceConfig",
        "A voice made from a sample.",
        both("mimeType", TEXT, "The sample's media type."),
        both("voiceSampleAudio", BASE64, "The sample, in base64."),
        gemini("consentAudio", BASE64, "The speaker's spoken consent, in base64."),
        gemini("voiceConsentSignature", OBJECT, "The signature of a consent that was given before."),
    ),
    message(
        "TranslationConfig",
        "How speech is translated.",
        needed_on_vertex("targetLanguageCode", TEXT, "A BCP 47 language tag, such as fr-FR."),
        both("echoTargetLanguage", BOOLEAN, "Repeat what is in the target language already."),
    ),
    message(
        "AudioTranscriptionConfig",
        "How audio is transcribed.",
        both("languageCodes", TEXTS, "BCP 47 tags of the languages that are spoken."),
        both("customVocabulary", TEXTS, "Words that are likely."),
        both("diarization", BOOLEAN, "Tell speakers apart."),
        both("wordTimestamp", BOOLEAN, "Give the time of each word."),
        both("mode", choice("MODE_UNSPECIFIED", "VERBATIM", "SMART"), "Whether slips of the tongue are kept."),
        both("sourceText", TEXT, "The text that is read."),
        deprecated("adaptationPhrases", TEXTS, "customVocabulary"),
        deprecated("languageAuto", OBJECT, "languageCodes"),
        deprecated("languageHints", Of("LanguageHints"), "languageCodes"),
    ),
    message("LanguageHints", "Languages that are likely.", needed_on_vertex("languageCodes", TEXTS, "BCP 47 tags.")),
    message(
        "RoutingConfig",
        "Which model answers.",
        both("autoMode", Of("AutoRouting"), "The API chooses the model."),
        both("manualMode", Of("ManualRouting"), "You choose the model."),
    ),
    message(
        "AutoRouting",
        "The API chooses the model.",
        both(
            "modelRoutingPreference",
            choice("UNKNOWN", "PRIORITIZE_QUALITY", "BALANCED", "PRIORITIZE_COST"),
            "What counts.",
        ),
    ),
    message("ManualRouting", "You choose the model.", both("modelName", TEXT, "The model.")),
    message(
        "ModelConfig",
        "Whether quality or cost decides on the model.",
        required(
            "featureSelectionPreference",
            choice("FEATURE_SELECTION_PREFERENCE_UNSPECIFIED", "PRIORITIZE_QUALITY", "BALANCED", "PRIORITIZE_COST"),
            "What counts.",
        ),
    ),
    message(
        "ResponseFormat",
        "The form of the answer in one modality.",
        both("text", Of("TextResponseFormat"), "The form of text."),
        both("audio", Of("AudioResponseFormat"), "The form of audio."),
        both("image", Of("ImageResponseFormat"), "The form of images."),
        both("video", Of("VideoResponseFormat"), "The form of videos."),
    ),
    message(
        "TextResponseFormat",
        "The form of text.",
        both("mimeType", choice("MIME_TYPE_UNSPECIFIED", "APPLICATION_JSON", "TEXT_PLAIN"), "The media type."),
        both("schema", JSON_SCHEMA, "The shape of a JSON answer."),
    ),
    message(
        "AudioResponseFormat",
        "The form of audio.",
        both("mimeType", choice("MIME_TYPE_UNSPECIFIED", *_AUDIO_TYPES), "The media type."),
        both("delivery", _DELIVERY, _HOW_DELIVERED),
        both("bitRate", Integer(1), "Bits a second."),
        both("sampleRate", Integer(1), "Samples a second."),
    ),
    message(
        "ImageResponseFormat",
        "The form of images.",
        both("mimeType", choice("MIME_TYPE_UNSPECIFIED", "IMAGE_JPEG"), "The media type."),
        both("delivery", _DELIVERY, _HOW_DELIVERED),
        both("aspectRatio", choice(*_RATIOS), "Width to height."),
        both("imageSize", choice(*_SIZES), "Size of the longer side."),
    ),
    message(
        "VideoResponseFormat",
        "The form of videos.",
        both("delivery", _DELIVERY, _HOW_DELIVERED),
        both(
            "aspectRatio",
            choice(_RATIOS[0], "ASPECT_RATIO_SIXTEEN_BY_NINE", "ASPECT_RATIO_NINE_BY_SIXTEEN"),
            "Width to height.",
        ),
        both("duration", DURATION, "How long the video is."),
        both("gcsUri", TEXT, "Where the video is written."),
        both("resolution", TEXT, "The resolution."),
    ),
)
