-- name: attachmentsByIds
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id
where t.id = any($1::uuid[]) and t.user_id = $2::uuid;

-- name: attachmentById
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id where t.id = $1::uuid;
