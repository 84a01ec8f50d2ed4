-- name: attachmentsByIds
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id
where t.id = any($1::uuid[]) and t.user_id = $2::uuid and t.deleted_at is null;

-- name: attachmentById
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id join users u on u.id = t.user_id
where t.id = $1::uuid and t.deleted_at is null and u.deleted_at is null;
