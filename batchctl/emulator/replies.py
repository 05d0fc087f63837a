"""The members of replies, message by message, for the parameter `fields`: tables, and look-up in them.

Each line of a table is a message with its members. A member with members of its own has `:type`; `any` means that its
content is not checked, and `*` means a list. Source: the discovery documents; for the Developer API reference 1.2, 1.4,
2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from batchctl.emulator.fieldmask import FieldMask, Tree, camel_name

_ANY = "any"
_OPEN = frozenset({("Operation", "metadata"), ("Operation", "response"), ("Status", "details")})
"""Members of the type `Any`: a server need not know their content. Source: reference 16."""


class Replies(Struct, frozen=True, dict=True):
    """The reply messages of one service."""

    table: str
    words: str
    """The error message for an unknown path, with the placeholder `{path}`."""
    is_old: bool = False
    """Whether errors have the older format."""

    @cached_property
    def messages(self) -> Mapping[str, Mapping[str, str]]:
        """The types of the members of each message; empty for members without members of their own."""
        found: dict[str, dict[str, str]] = {}
        for line in self.table.splitlines():
            name, *members = line.split()
            into = found.setdefault(name, {})
            for member in members:
                field, _, kind = member.partition(":")
                into[camel_name(field)] = kind.rstrip("*")
        return found

    def unknown_path(self, mask: FieldMask, message: str, *, looks_into_any: bool) -> str:
        """The first path of the mask that the message does not have; empty if it has all."""
        return self._unknown(mask.tree or {}, message, (), looks_into_any=looks_into_any)

    def _unknown(self, tree: Tree, message: str, above: tuple[str, ...], *, looks_into_any: bool) -> str:
        if message == _ANY:
            return ""
        members = self.messages.get(message, {})
        for name, below in tree.items():
            if name == "*":
                continue
            path = (*above, name)
            hidden = (message, name) in _OPEN and bool(below) and not looks_into_any
            if name not in members or hidden:
                return ".".join([*path, *(list(below)[:1] if hidden else ())])
            unknown = self._unknown(below, members[name], path, looks_into_any=looks_into_any)
            if unknown:
                return unknown
        return ""


_NEW_WORDS = "Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."
_OLD_WORDS = "Invalid field selection {path}"

DEVELOPER = Replies(
    """\
Operation name metadata:Batch done error:Status response:BatchOutput
Status code message details:any
Batch @type name model displayName inputConfig:InputConfig output:BatchOutput createTime endTime updateTime
Batch batchStats:BatchStats state priority webhookConfig:any
InputConfig fileName requests:any
BatchOutput @type responsesFile inlinedResponses:InlinedResponses
InlinedResponses inlinedResponses:InlinedResponse*
InlinedResponse response:any error:Status metadata:any
BatchStats requestCount successfulRequestCount failedRequestCount pendingRequestCount
ListOperationsResponse operations:Operation* nextPageToken unreachable
File name displayName mimeType sizeBytes createTime updateTime expirationTime sha256Hash uri downloadUri state source
File error:Status videoMetadata:any
ListFilesResponse files:File* nextPageToken
Model name version displayName description inputTokenLimit outputTokenLimit supportedGenerationMethods temperature
Model topP topK maxTemperature thinking baseModelId modelStatus:ModelStatus
ModelStatus modelStage retirementTime message
ListModelsResponse models:Model* nextPageToken
CountTokensResponse totalTokens cachedContentTokenCount promptTokensDetails:any cacheTokensDetails:any
Empty
""",
    _NEW_WORDS,
)
VERTEX = Replies(
    """\
BatchPredictionJob completionStats:CompletionStats createTime dedicatedResources:any disableContainerLogging
BatchPredictionJob displayName encryptionSpec:EncryptionSpec endTime endpoint error:Status explanationSpec:any
BatchPredictionJob generateExplanation inputConfig:BatchPredictionJobInputConfig instanceConfig:any labels:any
BatchPredictionJob manualBatchTuningParameters:any model modelMonitoringConfig:any modelMonitoringStatsAnomalies:any
BatchPredictionJob modelMonitoringStatus:Status modelParameters:any modelVersionId name
BatchPredictionJob outputConfig:BatchPredictionJobOutputConfig outputInfo:BatchPredictionJobOutputInfo
BatchPredictionJob partialFailures:Status* resourcesConsumed:ResourcesConsumed satisfiesPzi satisfiesPzs
BatchPredictionJob serviceAccount startTime state unmanagedContainerModel:any updateTime
ListBatchPredictionJobsResponse batchPredictionJobs:BatchPredictionJob* nextPageToken
BatchPredictionJobInputConfig bigquerySource:BigQuerySource gcsSource:GcsSource instancesFormat
BatchPredictionJobInputConfig vertexMultimodalDatasetSource:VertexMultimodalDatasetSource
BatchPredictionJobOutputConfig bigqueryDestination:BigQueryDestination gcsDestination:GcsDestination predictionsFormat
BatchPredictionJobOutputConfig vertexMultimodalDatasetDestination:VertexMultimodalDatasetDestination
BatchPredictionJobOutputInfo bigqueryOutputDataset bigqueryOutputTable gcsOutputDirectory vertexMultimodalDatasetName
GcsSource uris
GcsDestination outputUriPrefix
BigQuerySource inputUri
BigQueryDestination outputUri
VertexMultimodalDatasetSource datasetName
VertexMultimodalDatasetDestination bigqueryDestination:BigQueryDestination displayName
CompletionStats failedCount incompleteCount successfulCount successfulForecastPointCount
EncryptionSpec kmsKeyName
ResourcesConsumed replicaHours
Operation done error:Status metadata:any name response:any
Status code details:any message
PublisherModel frameworks launchStage name openSourceCategory parent:any predictSchemata:any publisherModelTemplate
PublisherModel supportedActions:any versionId versionState
ListPublisherModelsResponse nextPageToken publisherModels:PublisherModel*
CountTokensResponse totalTokens totalBillableCharacters promptTokensDetails:any
Empty
""",
    _NEW_WORDS,
)
STORAGE = Replies(
    """\
Bucket acl:any autoclass:any billing:any cors:any customPlacementConfig:any defaultEventBasedHold defaultObjectAcl:any
Bucket encryption:any etag generation hardDeleteTime hierarchicalNamespace:any iamConfiguration:any id ipFilter:any
Bucket kind labels:any lifecycle:any location locationType logging:any metageneration name objectRetention:any
Bucket owner:any projectNumber retentionPolicy:any rpo satisfiesPZI satisfiesPZS selfLink softDeletePolicy:any
Bucket softDeleteTime storageClass timeCreated updated versioning:any website:any
Buckets items:Bucket* kind nextPageToken unreachable
Object acl:any bucket cacheControl componentCount contentDisposition contentEncoding contentLanguage contentType
Object contexts:any crc32c customTime customerEncryption:any etag eventBasedHold generation hardDeleteTime id kind
Object kmsKeyName md5Hash mediaLink metadata:any metageneration name owner:any restoreToken retention:any
Object retentionExpirationTime selfLink size softDeleteTime storageClass temporaryHold timeCreated timeDeleted
Object timeFinalized timeStorageClassUpdated updated
Objects items:Object* kind nextPageToken prefixes
RewriteResponse done kind objectSize resource:Object rewriteToken totalBytesRewritten
""",
    _OLD_WORDS,
    is_old=True,
)
BIGQUERY = Replies(
    """\
Dataset access:any catalogSource creationTime datasetReference:DatasetReference defaultCollation
Dataset defaultEncryptionConfiguration:any defaultPartitionExpirationMs defaultRoundingMode defaultTableExpirationMs
Dataset description etag externalCatalogDatasetOptions:any externalDatasetReference:any friendlyName id
Dataset isCaseInsensitive kind labels:any lastModifiedTime linkedDatasetMetadata:any linkedDatasetSource:any location
Dataset maxTimeTravelHours resourceTags:any restrictions:any satisfiesPzi satisfiesPzs selfLink storageBillingModel
Dataset tags:any type
DatasetList datasets:any etag kind nextPageToken unreachable
DatasetReference datasetId projectId
Table biglakeConfiguration:any cloneDefinition:any clustering:any creationTime defaultCollation defaultRoundingMode
Table description encryptionConfiguration:any etag expirationTime externalCatalogTableOptions:any
Table externalDataConfiguration:any friendlyName id kind labels:any lastModifiedTime location managedTableType
Table materializedView:any materializedViewStatus:any maxStaleness model:any numActiveLogicalBytes
Table numActivePhysicalBytes numBytes numCurrentPhysicalBytes numLongTermBytes numLongTermLogicalBytes
Table numLongTermPhysicalBytes numPartitions numPhysicalBytes numRows numTimeTravelPhysicalBytes numTotalLogicalBytes
Table numTotalPhysicalBytes partitionDefinition:any rangePartitioning:any replicas:TableReference*
Table requirePartitionFilter resourceTags:any restrictions:any schema:TableSchema selfLink snapshotDefinition:any
Table streamingBuffer:any tableConstraints:any tableReference:TableReference tableReplicationInfo:any
Table timePartitioning:any type view:any
TableList etag kind nextPageToken tables:any totalItems
TableReference datasetId projectId tableId
TableSchema fields:TableFieldSchema* foreignTypeInfo:any
TableFieldSchema categories:any collation dataGovernanceTagsInfo:any dataPolicies:any dataPolicyList:any
TableFieldSchema defaultValueExpression description fields:TableFieldSchema* foreignTypeDefinition generatedColumn:any
TableFieldSchema maxLength mode name policyTags:any precision rangeElementType:any roundingMode scale
TableFieldSchema timestampPrecision type
TableDataList etag kind pageToken rows:TableRow* totalRows
TableRow f:TableCell*
TableCell v:any
TableDataInsertAllResponse insertErrors:any kind
Job configuration:any etag id jobCreationReason:any jobReference:JobReference kind principal_subject selfLink
Job statistics:any status:JobStatus user_email
JobReference jobId location projectId
JobStatus errorResult:ErrorProto errors:ErrorProto* state
ErrorProto debugInfo location message reason
""",
    _OLD_WORDS,
    is_old=True,
)
