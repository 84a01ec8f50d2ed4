-- name: attachmentsByIds
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id
where t.id = any($1::uuid[]) and t.user_id = $2::uuid and t.deleted_at is null;

-- name: attachmentById
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id join users u on u.id = t.user_id
where t.id = $1::uuid and t.deleted_at is null and u.deleted_at is null;

-- name: attachmentsOfUser
select t.*, a.state, a.snapshot, a.version
from attachments t join actors a on a.id = t.id
where t.user_id = $1::uuid and t.deleted_at is null
  and ($2::timestamptz is null or (t.created_at, t.id) < ($2::timestamptz, $3::uuid))
order by t.created_at desc, t.id desc limit $4::integer;

-- name: openUploads
-- How many uploads of a user, issued since `$2`, have no fate yet, and when the first of them goes on by itself.
select count(*)::integer as open, min(a.wake_at) as next
from attachments t join actors a on a.id = t.id
where t.user_id = $1::uuid and t.created_at > $2::timestamptz
  and a.finished_at is null and a.status in ('issued', 'uploaded');
